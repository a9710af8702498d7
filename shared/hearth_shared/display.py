"""Text of pages, models and strangers, shown so that nothing in it hides, reorders or commands a terminal.

What is shown maps one-to-one to what is there: characters are escaped, never removed, so two different texts never
look the same. Standard library only.
"""

import re
import unicodedata

OPEN, CLOSE = "\u27e6", "\u27e7"  # escaped themselves, else the map would not be one-to-one

# Letters, marks and symbols that draw nothing, or only blank space.
_BLANK = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810)})
# Category Mn, so a filter for format characters misses them; 256 of them carry a byte each.
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Zs"})
_ESCAPED = re.compile(f"{OPEN}U\\+([0-9A-F]{{4,6}}){CLOSE}")
_PLAIN = re.compile(r"[ -~]*")


def is_visible(character: str) -> bool:
    """Whether a terminal or a label draws this character as itself."""
    if character == " ":
        return True
    code = ord(character)
    if character in (OPEN, CLOSE) or code in _BLANK or any(code in block for block in _VARIATION_SELECTORS):
        return False
    return unicodedata.category(character) not in _HIDDEN


def display(text: str, keep: str = "\n\t") -> str:
    """`text` with all but `keep` made visible; for one line of a log use keep="". A carriage return overprints: never
    keep it."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(c if c in keep or is_visible(c) else f"{OPEN}U+{ord(c):04X}{CLOSE}" for c in text)


def undisplay(shown: str) -> str:
    """The text that `display` was given."""
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), shown)
