"""The prompt for filling in the middle: tokens between which the model was trained to write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hearth_shared.errors import BadRequest

_STEP = 256  # a prefix is shortened in steps, so that its beginning, and with it what is cached, stays for a while


@dataclass(frozen=True, slots=True)
class FimTokens:
    """A model's special tokens; `repository` and `separator` (before other files) may be missing."""

    prefix: int | None
    suffix: int | None
    middle: int | None
    repository: int | None = None
    separator: int | None = None

    @property
    def usable(self) -> bool:
        return None not in (self.prefix, self.suffix, self.middle)


def fim_prompt(
    special: FimTokens,
    tokenize: Callable[[str], list[int]],
    prefix: str,
    suffix: str,
    files: Sequence[Sequence[str]],
    room: int,
) -> list[int]:
    """At most `room` tokens: what is near the cursor is kept, other files get what is left.

    Prefix, suffix, middle, as Qwen-Coder, StarCoder and CodeLlama learned it. Raises BadRequest for a model without.
    """
    if special.prefix is None or special.suffix is None or special.middle is None:
        raise BadRequest(
            "This model cannot write between two texts: it has no fill-in-the-middle tokens.",
            "Send the text before the cursor alone, or choose a model made for code.",
        )
    room -= 3
    before = tokenize(prefix)
    after = tokenize(suffix)[: max(room // 4, room - len(before), 0)]
    before = shortened(before, room - len(after))
    room -= len(after) + len(before)
    others = _other_files(special, tokenize, files, room)
    return [*others, special.prefix, *before, special.suffix, *after, special.middle]


def shortened(tokens: list[int], room: int) -> list[int]:
    """The end of `tokens`, cut in steps to at most `room`."""
    if len(tokens) <= room:
        return tokens
    drop = -(-(len(tokens) - room) // _STEP) * _STEP
    return tokens[drop:] if drop < len(tokens) else tokens[len(tokens) - max(room, 0) :]


def _other_files(
    special: FimTokens, tokenize: Callable[[str], list[int]], files: Sequence[Sequence[str]], room: int
) -> list[int]:
    """Whole files, in order, as long as they fit."""
    if special.separator is None:
        return []
    tokens = [special.repository] if special.repository is not None else []
    for name, text in files:
        file = [special.separator, *tokenize(f"{name}\n{text}")]
        if len(tokens) + len(file) > room:
            break
        tokens += file
    return tokens if len(tokens) > 1 else []
