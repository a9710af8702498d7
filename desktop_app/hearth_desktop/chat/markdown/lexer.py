"""Colours code line by line as it streams: a Pygments lexer whose state is carried from one line to the next.

The cost of a line depends on that line alone. A token whose one rule spans lines (a docstring) is coloured by the rules
of its lines until the fence closes; then `whole` says what it really is. Lexers that are no plain RegexLexer are asked
line by line.
"""

from collections.abc import Iterator
from typing import Any, Final

from pygments.lexer import ExtendedRegexLexer, Lexer, RegexLexer
from pygments.lexers import get_lexer_by_name  # pyright: ignore[reportUnknownVariableType]
from pygments.token import Text, _TokenType  # pyright: ignore[reportPrivateUsage]
from pygments.util import ClassNotFound

_PLAIN: Final = "text"
_LONGEST_LINE: Final = 2000
"""Longer lines are data; no person reads their colours, and a rule may be slow on them."""
Token = tuple[_TokenType, str]


def lexer_for(language: str) -> Lexer:
    """The lexer of a language, or one that leaves all as it is."""
    try:
        return get_lexer_by_name(language or _PLAIN, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return get_lexer_by_name(_PLAIN, stripnl=False, ensurenl=False)


class LineLexer:
    """Takes one line after the other."""

    def __init__(self, language: str) -> None:
        self.lexer = lexer_for(language)
        self._states = ["root"]
        regular = isinstance(self.lexer, RegexLexer) and not isinstance(self.lexer, ExtendedRegexLexer)
        self._rules: Any = getattr(self.lexer, "_tokens") if regular else None  # noqa: B009

    def line(self, text: str) -> Iterator[Token]:
        """The tokens of one line, given with its newline; all of its text, in order."""
        if len(text) > _LONGEST_LINE:
            yield Text, text
        elif self._rules is None:
            yield from _tokens(self.lexer, text)
        else:
            yield from self._by_rules(text)

    def _by_rules(self, text: str) -> Iterator[Token]:
        at = 0
        while at < len(text):  # at the line's end no rule is tried: those belong to the start of the next line
            hit = self._first_match(text, at)
            if hit is None:
                if text[at] == "\n":  # Pygments recovers so: a newline that no rule takes resets the state
                    self._states = ["root"]
                yield Text, text[at]
                at += 1
                continue
            match, action, target = hit
            if isinstance(action, _TokenType):
                yield action, match.group()
            elif action is not None:
                yield from ((token, value) for _, token, value in action(self.lexer, match))
            at = match.end()
            self._enter(target)

    def _first_match(self, text: str, at: int) -> tuple[Any, Any, Any] | None:
        for matcher, action, target in self._rules[self._states[-1]]:
            match = matcher(text, at)
            if match and (match.end() > at or target is not None):  # an empty match has to change the state
                return match, action, target
        return None

    def _enter(self, target: Any) -> None:
        if target is None:
            return
        if isinstance(target, int):
            del self._states[max(1, len(self._states) + target if target < 0 else target) :]
            return
        for name in (target,) if isinstance(target, str) else target:
            if name == "#push":
                self._states.append(self._states[-1])
            elif name != "#pop":
                self._states.append(name)
            elif len(self._states) > 1:
                self._states.pop()


def whole(lexer: Lexer, text: str) -> Iterator[list[Token]]:
    """The tokens of each line of a finished text, as one pass over the whole of it finds them."""
    line: list[Token] = []
    for token, value in _tokens(lexer, text):
        first, *rest = value.split("\n")
        if first:
            line.append((token, first))
        for part in rest:
            yield line
            line = [(token, part)] if part else []
    yield line


def _tokens(lexer: Lexer, text: str) -> Iterator[Token]:
    return ((token, value) for _, token, value in lexer.get_tokens_unprocessed(text))
