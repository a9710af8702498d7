"""Hearth's colours and measures, written once; Qt's palette, the extension's stylesheet and VS Code's views derive
from them. Standard library only."""

from enum import StrEnum
from typing import Final, NamedTuple

CORNER_PX: Final = 8
STEP_PX: Final = 4
MOTION_MS: Final = 120
"""The longest that anything may move; nothing does when the system asks for reduced motion."""


class Palette(NamedTuple):
    """The colours of one scheme as `#RRGGBB`."""

    background: str
    surface: str
    raised: str
    text: str
    muted: str
    border: str
    accent: str
    on_accent: str
    ok: str
    warn: str
    danger: str
    info: str


class Scheme(StrEnum):
    """How a person wants to see things; the system tells which."""

    LIGHT = "light"
    DARK = "dark"
    LIGHT_CONTRAST = "light high contrast"
    DARK_CONTRAST = "dark high contrast"


PALETTES: Final[dict[Scheme, Palette]] = {
    Scheme.LIGHT: Palette(
        background="#FBF9F6",
        surface="#FFFFFF",
        raised="#F3EFE9",
        text="#1F1B16",
        muted="#6A6259",
        border="#DDD5CA",
        accent="#B3421B",
        on_accent="#FFFFFF",
        ok="#2E6B3E",
        warn="#8A5A00",
        danger="#B3261E",
        info="#2A5F9E",
    ),
    Scheme.DARK: Palette(
        background="#171412",
        surface="#1F1B18",
        raised="#2A2521",
        text="#F1EBE4",
        muted="#B0A69B",
        border="#3B342E",
        accent="#F0885A",
        on_accent="#231207",
        ok="#7CC48D",
        warn="#E2B65B",
        danger="#F2897F",
        info="#8DB8EC",
    ),
    Scheme.LIGHT_CONTRAST: Palette(
        background="#FFFFFF",
        surface="#FFFFFF",
        raised="#FFFFFF",
        text="#000000",
        muted="#33302B",
        border="#000000",
        accent="#7A2606",
        on_accent="#FFFFFF",
        ok="#0B4A1D",
        warn="#5A3A00",
        danger="#86120C",
        info="#0C3E75",
    ),
    Scheme.DARK_CONTRAST: Palette(
        background="#000000",
        surface="#000000",
        raised="#000000",
        text="#FFFFFF",
        muted="#E4DCD2",
        border="#FFFFFF",
        accent="#FFB08A",
        on_accent="#000000",
        ok="#9BEBAE",
        warn="#FFD479",
        danger="#FFB3AB",
        info="#B5D5FF",
    ),
}


class State(StrEnum):
    """What Hearth is doing, as every door shows it: by colour, and by a word or a shape with it."""

    IDLE = "idle"
    THINKING = "thinking"
    NEEDS_YOU = "needs you"
    PAUSED = "paused"
    LOCAL_ONLY = "local only"
    OFFLINE = "offline"
    FAULT = "fault"

    @property
    def token(self) -> str:
        """The name of its colour in a Palette."""
        return _TOKENS[self]


_TOKENS: Final = {
    State.IDLE: "muted",
    State.THINKING: "accent",
    State.NEEDS_YOU: "warn",
    State.PAUSED: "muted",
    State.LOCAL_ONLY: "ok",
    State.OFFLINE: "info",
    State.FAULT: "danger",
}


def colour_of(state: State, scheme: Scheme) -> str:
    """The colour of a state in a scheme."""
    return str(getattr(PALETTES[scheme], state.token))


def contrast(one: str, other: str) -> float:
    """How well two colours can be told apart, 1 to 21: the contrast ratio of WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
