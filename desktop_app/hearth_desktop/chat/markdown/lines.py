"""Lines as the parser counts them, and text that cannot reorder or break what stands around it. Pure."""

import re
from typing import Final

from hearth_shared.display import display

# What would turn the reading order, be no text to Qt (it makes blocks and objects of these), or draw nothing at all.
_STRAY: Final = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2029"
    "\ufdd0\ufdd1\ufff9-\ufffc\U000e0000-\U000e007f\ud800-\udfff]"
)
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")


def keep_lines(text: str) -> list[str]:
    """Lines with their ends, cut at \\n alone (str.splitlines also cuts at form feeds, U+2028 and others)."""
    return _LINE.findall(text)


def shown(text: str) -> str:
    """Text with what is dangerous to show made visible; joiners and emoji stay as they are."""
    return _STRAY.sub(lambda match: display(match.group(), keep=""), text) if _STRAY.search(text) else text


class LineEnds:
    """Turns \\r\\n and \\r into \\n, also when a piece ends between the two."""

    def __init__(self) -> None:
        self._held = False

    def feed(self, text: str) -> str:
        """What may be used now."""
        if self._held:
            text = "\r" + text
        self._held = text.endswith("\r")
        return (text[:-1] if self._held else text).replace("\r\n", "\n").replace("\r", "\n")

    def finish(self) -> str:
        """What was held back."""
        held, self._held = self._held, False
        return "\n" if held else ""
