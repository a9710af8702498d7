"""What the context holds of earlier prompts, and how much of it the next one can keep."""

from collections.abc import Sequence as Tokens
from typing import Literal, Protocol

Read = Literal["read", "aborted", "full"]


class Cells(Protocol):
    """The part of a native context this needs."""

    @property
    def batch_size(self) -> int: ...

    def decode(self, tokens: Tokens[int], start: int) -> Literal["done", "full", "aborted"]: ...

    def forget(self, start: int) -> bool: ...

    def forget_all(self) -> None: ...


class Sequence:
    """One sequence of tokens: `tokens` is exactly what the context holds, whatever happened."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self.tokens: list[int] = []
        self._aligned = 0

    def keep(self, prompt: Tokens[int], *, exact: bool = False) -> int:
        """Forget all but the longest beginning shared with `prompt`, less its last token; how much is kept.

        A prompt's end is read in a smaller batch than its beginning, and the same token computed in another batch
        differs in its last bits. `exact` keeps only whole batches, so that the same seed gives the same text.
        """
        kept = min(common(self.tokens, prompt), len(prompt) - 1)
        if exact:
            kept = min(kept, self._aligned) // self._cells.batch_size * self._cells.batch_size
        return self._cut(kept)

    def read(self, prompt: Tokens[int]) -> Read:
        """Read the rest of `prompt` in batches; afterwards the next token can be sampled."""
        size = self._cells.batch_size
        while len(self.tokens) < len(prompt):
            start = len(self.tokens)
            outcome = self._add(prompt[start : start + size])
            if outcome != "read":
                return outcome
            if start == self._aligned and len(self.tokens) == start + size:
                self._aligned += size
        return "read"

    def write(self, token: int) -> Read:
        """Add a token that was sampled."""
        return self._add([token])

    def _add(self, tokens: Tokens[int]) -> Read:
        start = len(self.tokens)
        try:
            outcome = self._cells.decode(tokens, start)
        except BaseException:
            self._cut(0)
            raise
        if outcome == "done":
            self.tokens.extend(tokens)
            return "read"
        self._cut(start)
        return outcome

    def _cut(self, length: int) -> int:
        """Some kinds of model (recurrent ones) can only forget everything."""
        if length == 0 or not self._cells.forget(length):
            length = 0
            self._cells.forget_all()
        del self.tokens[length:]
        self._aligned = min(self._aligned, length // self._cells.batch_size * self._cells.batch_size)
        return length


def common(one: Tokens[int], other: Tokens[int]) -> int:
    """Length of the longest common beginning."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))
