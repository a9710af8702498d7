"""What a tool gave, as a model may read it: no more than the limit, and nothing that hides or commands a terminal.

Pure.
"""

import re
from typing import Final

from hearth_shared.display import CLOSE, OPEN

# Control characters, and what reorders or carries text unseen. Emoji and scripts that join keep what they need.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def cleaned(text: str, longest: int) -> str:
    """Hidden characters shown, line ends as one, and the middle left out where it is too long."""
    text = text.replace("\r\n", "\n")
    if len(text) > longest:
        head = longest * 2 // 3
        left_out = len(text) - longest
        text = f"{text[:head]}\n[{left_out} characters left out]\n{text[len(text) - (longest - head) :]}"
    return _HIDDEN.sub(lambda found: f"{OPEN}U+{ord(found[0]):04X}{CLOSE}", text)
