"""Whether a memory is about the word under the cursor, and plainly enough to be shown unasked. Pure."""

import re
from collections.abc import Sequence

from hearth_shared.wire import Hit

MOST = 3
_SHORTEST = 4
_COMMON_ABOVE = 5
_WORD = re.compile(r"\w+(?:-\w+)*")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-]+")
_EVERYDAY_WORDS = """
self this that these those with from into over when where what which there their then than your have will would should
could about after before again because every other return import export print true false none null undefined string
number value values name names data type types list dict array object file files line lines text index result results
item items args kwargs param params test tests main function class const async await public private static void super
else elif while break continue match case default switch struct enum trait impl interface extends implements package
module require include define typedef template typename namespace using operator throw throws catch finally except raise
yield lambda global nonlocal assert pass bool float double char long short unsigned begin done echo note
"""
_EVERYDAY = frozenset(_EVERYDAY_WORDS.split())


def word_at(line: str, column: int) -> str:
    """The word around a column, hyphens included; empty between words."""
    for match in _WORD.finditer(line):
        if match.start() <= column <= match.end():
            return match[0]
    return ""


def query(word: str) -> str:
    """What to ask memory about a word; empty for one that says too little to be asked about."""
    if len(word) < _SHORTEST or word.lower() in _EVERYDAY or word.isdigit():
        return ""
    parts = [part for part in _HUMP.split(word) if len(part) > 2]
    return " ".join(dict.fromkeys([word, *parts])) if len(parts) > 1 else word


def plainly_about(word: str, line: str, hits: Sequence[Hit]) -> list[Hit]:
    """The memories to show, best first. A word that many memories hold needs a second one of its line in them."""
    about = [hit for hit in hits if _mentions(hit["text"], word) and not hit["text"].rstrip().endswith("?")]
    if len(about) > _COMMON_ABOVE:
        beside = {one for one in (found[0] for found in _WORD.finditer(line)) if query(one) and one != word}
        about = [hit for hit in about if any(_holds(hit["text"], one) for one in beside)]
    return about[:MOST]


def _mentions(text: str, word: str) -> bool:
    parts = [part for part in _HUMP.split(word) if part]
    return _holds(text, word) or (len(parts) > 1 and _holds(text, " ".join(parts)))


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
