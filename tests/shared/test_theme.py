"""Every text colour can be read on every ground, in every scheme."""

import pytest

from hearth_shared.theme import PALETTES, Scheme, State, colour_of, contrast

pytestmark = pytest.mark.unit
GROUNDS = ("background", "surface", "raised")
TEXTS = ("text", "muted", "accent", "ok", "warn", "danger", "info")


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_every_text_can_be_read_on_every_ground(scheme: Scheme, ground: str, text: str) -> None:
    palette = PALETTES[scheme]
    least = 9.0 if "contrast" in scheme else 4.9
    assert contrast(getattr(palette, text), getattr(palette, ground)) >= least


@pytest.mark.parametrize("scheme", Scheme)
def test_what_stands_on_the_accent_can_be_read(scheme: Scheme) -> None:
    palette = PALETTES[scheme]
    assert contrast(palette.on_accent, palette.accent) >= 4.9


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", Scheme)
def test_every_state_has_a_colour(scheme: Scheme) -> None:
    assert all(colour_of(state, scheme) in PALETTES[scheme] for state in State)
