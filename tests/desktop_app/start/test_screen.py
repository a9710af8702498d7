import pytest

from hearth_desktop.start import screen

pytestmark = pytest.mark.unit


def test_without_a_display_nothing_is_tried() -> None:
    assert screen.fault({}, "linux") == screen.NO_DISPLAY
    assert screen.fault({"DISPLAY": ""}, "linux") == screen.NO_DISPLAY


@pytest.mark.parametrize(
    "environ", [{"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}, {"QT_QPA_PLATFORM": "offscreen"}]
)
def test_with_one_qt_is_asked(environ: dict[str, str]) -> None:
    assert not screen.fault(environ, "linux")


def test_other_systems_always_have_one() -> None:
    assert not screen.fault({}, "darwin")


def test_what_qt_says_is_kept_when_it_says_something_new() -> None:
    assert screen.refused("could not connect to display :7\n") == screen.NO_DISPLAY
    assert screen.refused("The sky\nfell.").endswith("Qt says: The sky fell.")
