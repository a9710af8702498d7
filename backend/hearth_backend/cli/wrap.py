"""Lines broken between words at the window's edge, while the text is still coming."""

import re
import unicodedata

_ATOM = re.compile(r"\n|[ \t]+|\x1b\[[\d;]*m|[!-~]+|.", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_LIST_SIGN = re.compile(r"[-*+•]|\d{1,3}[.)]|\[\d{1,3}\]")
_FENCE = re.compile(r"(```+|~~~+)[^`]*")
_NEVER_FIRST = frozenset(".,:;!?)]}、。，．：；！？）］｝〉》」』】〕’”…‥ー々")
_NEVER_LAST = frozenset("([{（［｛〈《「『【〔‘“")
_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_JOINER = "\u200d"
_TAB = 8


class Wrap:
    """Takes a text in pieces and gives back what can be shown: at most the last word waits for its end.

    A line that goes on keeps the indentation it began with, and stands clear of its list sign. Blocks of code, tables
    and words that fit no line pass as they are. With `width` None everything passes; it may change at any time.
    """

    def __init__(self, width: int | None, *, hanging: int = 0) -> None:
        """`hanging` columns stand before each line that goes on, beyond the indentation it began with."""
        self.width = width
        self._hanging = " " * hanging
        self._space = ""
        self._word = ""
        self._fence = ""
        self._begin_line()

    @property
    def at_line_start(self) -> bool:
        """Whether the line so far is empty."""
        return not self._begun and not self._word

    def feed(self, piece: str) -> str:
        """What can be shown now, of this piece and of what waited."""
        shown = "".join([self._take(atom) for atom in _ATOM.findall(piece)])
        return shown if self._breaks else shown + self._place() + self._blank()

    def finish(self) -> str:
        """The rest. The next piece begins a line, outside any block of code."""
        shown = self._place() + self._blank()
        self._fence = ""
        self._begin_line()
        return shown

    @property
    def _breaks(self) -> bool:
        """Whether this line may be broken; where it begins that is not known yet."""
        return self.width is not None and not (self._begun and self._passes)

    def _begin_line(self) -> None:
        self._begun = self._passes = self._endless = False
        self._column, self._indent = 0, ""

    def _take(self, atom: str) -> str:
        if atom == "\n":
            shown = self._place() + ("" if self._breaks else self._blank()) + "\n"
            self._space = ""
            self._begin_line()
            return shown
        if atom[0] in " \t":
            shown = self._place()
            self._space, self._endless = self._space + atom, False
            return shown
        shown = self._place() if _may_part(self._word, atom) else ""
        self._word += atom
        if self._endless or (self.width and columns(self._word) > self.width - columns(self._indent)):
            shown += self._place()
            self._endless = True
        return shown

    def _place(self) -> str:
        """The word that waited, on this line or the next."""
        if not self._word:
            return ""
        space, word, self._space, self._word = self._space, self._word, "", ""
        if not self._begun and _COLOUR.sub("", word):
            self._open(space, word)
        new_line = self._overflows(columns(space + word))
        if new_line:
            self._column, space = 0, self._indent
        self._column += columns(space + word)
        if self.width and self._column > self.width:  # where the terminal itself went on
            self._column = (self._column - 1) % self.width + 1
        return ("\n" if new_line else "") + space + word

    def _blank(self) -> str:
        space, self._space = self._space, ""
        self._column += columns(space)
        return space

    def _open(self, space: str, word: str) -> None:
        """What kind of line this is, by its first word."""
        self._begun = True
        plain = _COLOUR.sub("", word)
        fence = _FENCE.fullmatch(plain)
        self._passes = bool(self._fence or fence) or plain.startswith("|")
        if self._fence:
            self._fence = "" if plain.rstrip(self._fence[0]) == "" and len(plain) >= len(self._fence) else self._fence
        elif fence:
            self._fence = fence[1]
        indent = space + self._hanging + (" " * (columns(plain) + 1) if _LIST_SIGN.fullmatch(plain) else "")
        self._indent = indent if columns(indent) <= (self.width or 0) // 2 else ""

    def _overflows(self, more: int) -> bool:
        if self.width is None or self._passes or self._endless:
            return False
        return self._column + more > self.width and self._column > columns(self._indent)


def columns(text: str) -> int:
    """How many columns a terminal gives to a text; colours get none."""
    plain = _COLOUR.sub("", text)
    if plain.isascii():
        return len(plain) + (_TAB - 1) * plain.count("\t")
    return sum(map(_width, plain))


def _width(character: str) -> int:
    if unicodedata.category(character) in _NO_WIDTH or ord(character) in _SKIN_TONES:
        return 0
    if character == "\t":
        return _TAB
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _may_part(word: str, atom: str) -> bool:
    """Whether a line may end between the two though no blank stands there: beside wide characters, as their scripts
    do."""
    before, after = _COLOUR.sub("", word)[-1:], atom[0]
    if not before or before in _NEVER_LAST or before == _JOINER or after in _NEVER_FIRST or _width(after) == 0:
        return False
    return atom[0] != "\x1b" and (_width(before) == 2 or _width(after) == 2)
