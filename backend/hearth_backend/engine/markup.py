"""Keeps what people and pages wrote from becoming a model's control tokens.

A chat template mixes its own markers (`<|im_start|>`) with other people's text. Every text is `fenced` before the
template sees it: a marker spelled out in it is broken by a fence character that occurs nowhere else. The rendered
prompt is then cut at the markers that are left, which are the template's own; they alone become tokens by id.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

_PRIVATE = range(0xF0000, 0xFFFFE)


@dataclass(frozen=True, slots=True)
class Marker:
    """A token that is more than its text."""

    id: int
    text: str
    control: bool
    eats_before: bool = False
    eats_after: bool = False


class Markup:
    """The markers that mean something in one model's prompts."""

    def __init__(self, markers: Iterable[Marker], template: str) -> None:
        known = [marker for marker in markers if marker.control or _structural(marker.text, template)]
        self._control = {marker.text: marker for marker in known if marker.control}
        self._any = _pattern(marker.text for marker in known)
        self._own = _pattern(self._control)

    def fence(self, value: Any, fence: str) -> Any:
        """`value` (text, or JSON full of it) with every marker in it broken after its first character."""
        if isinstance(value, str):
            return self._any.sub(lambda found: f"{found[0][0]}{fence}{found[0][1:]}", value) if self._any else value
        if isinstance(value, Mapping):
            items = cast("Mapping[str, Any]", value).items()
            return {self.fence(key, fence): self.fence(inner, fence) for key, inner in items}
        if isinstance(value, list | tuple):
            return [self.fence(inner, fence) for inner in cast("Iterable[Any]", value)]
        return value

    def cut(self, prompt: str, fence: str) -> Iterator[Marker | str]:
        """The template's own markers, and the plain text between them and between fences."""
        eats = False
        for part in self._own.split(prompt) if self._own else [prompt]:
            if marker := self._control.get(part):
                eats = marker.eats_after
                yield marker
            else:
                yield from (text for text in (part.lstrip() if eats else part).split(fence) if text)
                eats = False


def fence_for(value: Any) -> str:
    """A character of a private use area that occurs nowhere in `value`."""
    used = {character for text in _texts(value) for character in text if ord(character) >= _PRIVATE.start}
    return next(chr(point) for point in _PRIVATE if chr(point) not in used)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in cast("Mapping[Any, Any]", value).items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("Iterable[Any]", value):
            yield from _texts(inner)


def _structural(text: str, template: str) -> bool:
    """Whether a user-defined token frames something in the template; many are only frequent words or white space."""
    return len(text) > 2 and text[0] in "<[" and text in template


def _pattern(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the texts, the longest first, as one group."""
    ordered = sorted(set(texts), key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, ordered)) + ")") if ordered else None
