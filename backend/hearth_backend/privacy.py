"""Masks secrets and personal data for the cloud, and puts them back on the way home."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, cast

from hearth_backend.shapes import spans

_MARK: Final = re.compile(r"<[A-Z_]{2,11}_\d{1,6}>")
_MARK_BEGUN: Final = re.compile(r"<(?:[A-Z][A-Z_]{0,11}\d{0,6})?\Z")
# Some servers write `<` and `>` as escapes inside of JSON strings.
_MARK_IN_JSON: Final = re.compile(r"(?:<|(?<!\\)\\u003[cC])([A-Z_]{2,11}_\d{1,6})(?:>|\\u003[eE])")
_ESCAPE_BEGUN: Final = r"\\+(?:u(?:0(?:0(?:3)?)?)?)?"
_MARK_BEGUN_IN_JSON: Final = re.compile(
    rf"(?:(?:<|\\+u003[cC])(?:[A-Z][A-Z_]{{0,11}}\d{{0,6}}(?:{_ESCAPE_BEGUN})?)?|{_ESCAPE_BEGUN})\Z"
)


class Vault:
    """The marks of one call and what they stand for; itself a secret, never stored or logged."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """`texts` are all that will be masked: a mark that somebody already wrote in them is not given out."""
        self._taken = {mark for text in texts for mark in _MARK.findall(text)}
        self._marks: dict[str, str] = {}
        self._values: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._values)} values)"

    def __len__(self) -> int:
        return len(self._values)

    def marks(self) -> list[str]:
        """The marks that were given out, in order."""
        return list(self._values)

    def mask(self, text: str) -> str:
        """The text with marks in place of what should not leave; equal values get equal marks."""
        found = spans(text)
        if not found:
            return text
        pieces, end = list[str](), 0
        for span in found:
            pieces += (text[end : span.start], self._mark(span.kind, text[span.start : span.end]))
            end = span.end
        return "".join((*pieces, text[end:]))

    def mask_json(self, text: str) -> str:
        """JSON with marks in its strings, names and numbers; as it was when there is nothing to mask. What cannot be
        read as JSON is masked as text."""
        try:
            value: Any = json.loads(text)
        except ValueError:
            return self.mask(text)
        hidden = self.mask_value(value, names=True)
        return text if hidden == value else json.dumps(hidden, ensure_ascii=False)

    def mask_value(self, value: Any, *, names: bool = False) -> Any:
        """A JSON value with marks in its strings, and with `names` in its numbers and in the names of its fields."""
        match value:
            case str():
                return self.mask(value)
            case dict():
                fields = cast("dict[str, Any]", value).items()
                return {
                    self.mask(name) if names else name: self._given(name, under, names=names) for name, under in fields
                }
            case list():
                return [self.mask_value(one, names=names) for one in cast("list[Any]", value)]
            case int() if names and not isinstance(value, bool):
                hidden = self.mask(str(value))
                return value if hidden == str(value) else hidden
            case _:
                return value

    def restore(self, text: str, *, in_json: bool = False) -> str:
        """The text with the values back in place of their marks; `in_json` escapes them as JSON strings need."""
        if not self._values:
            return text
        if in_json:
            return _MARK_IN_JSON.sub(self._in_json, text)
        return _MARK.sub(lambda found: self._values.get(found[0], found[0]), text)

    def _given(self, name: str, value: Any, *, names: bool) -> Any:
        """A field's value; its name may tell that it is a secret (`{"password": …}`)."""
        if not isinstance(value, str) or not names:
            return self.mask_value(value, names=names)
        start = len(name) + 4
        if any(span.start == start and span.kind == "SECRET" for span in spans(f'"{name}":"{value}"')):
            return self._mark("SECRET", value)
        return self.mask(value)

    def _mark(self, kind: str, value: str) -> str:
        if value not in self._marks:
            number = len(self._marks) + 1
            while (mark := f"<{kind}_{number}>") in self._taken:
                number += 1
            self._taken.add(mark)
            self._marks[value], self._values[mark] = mark, value
        return self._marks[value]

    def _in_json(self, found: re.Match[str]) -> str:
        value = self._values.get(f"<{found[1]}>")
        return found[0] if value is None else json.dumps(value, ensure_ascii=False)[1:-1]


class Restorer:
    """Restores a text that comes in pieces: what may be the beginning of a mark waits for the rest of it."""

    def __init__(self, vault: Vault, *, in_json: bool = False) -> None:
        self._vault = vault
        self._in_json = in_json
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        text = self._held + piece
        begun = (_MARK_BEGUN_IN_JSON if self._in_json else _MARK_BEGUN).search(text)
        cut = begun.start() if begun else len(text)
        self._held = text[cut:]
        return self._vault.restore(text[:cut], in_json=self._in_json)

    def rest(self) -> str:
        """What was waiting when the text ended."""
        held, self._held = self._held, ""
        return held


def masked(text: str) -> str:
    """The text with marks, for good: for logs and reports."""
    return Vault().mask(text)
