import pytest

from hearth_desktop.start import binding

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("python", [(3, 10), (3, 11)])
def test_the_broken_pair_is_refused_with_what_to_do(python: tuple[int, int]) -> None:
    said = binding.fault("6.12.0", python)
    assert "6.12.0" in said
    assert f"{python[0]}.{python[1]}" in said
    assert binding.INSTALL in said


@pytest.mark.parametrize(
    ("pyside", "python"), [("6.11.3", (3, 11)), ("6.12.0", (3, 12)), ("6.12.0", (3, 13)), ("6.12.1", (3, 11))]
)
def test_other_pairs_are_taken(pyside: str, python: tuple[int, int]) -> None:
    assert not binding.fault(pyside, python)


def test_a_missing_binding_says_how_to_get_it() -> None:
    assert "hearth-agent[desktop]" in binding.missing("No module named 'PySide6'")
