"""A context without a model: it remembers tokens as llama.cpp's memory does, and holds its user to the rules."""

from collections.abc import Sequence

from hearth_backend.engine.kvcache import Chunk, Decoded, Fault

BATCH = 4


class MemoryOfTokens:
    """Sequences that share cells. `outcomes` are what the next decodes come to, one each, then all are done."""

    def __init__(
        self, *, whole_only: bool = False, capacity: int = 10_000, size: int = 10_000, batch: int = BATCH
    ) -> None:
        self.batch_size = batch
        self.size = size
        self.capacity = capacity
        self.shares = not whole_only
        self.outcomes: list[Decoded | Fault] = []
        self.decoded: list[list[Chunk]] = []
        self.outputs: dict[int, list[int]] = {}  # by row of the last batch: all tokens up to it
        self._held: dict[int, list[tuple[int, int, int]]] = {}  # token, where its batch began, and how long it was
        self._cell = 0

    def tokens(self, seat: int) -> list[int]:
        return [token for token, _, _ in self._held.get(seat, [])]

    def batches(self, seat: int) -> list[tuple[int, int]]:
        """By token: where the batch it was computed in began, and its length; (-1, n) in a batch with others."""
        return [(start, length) for _, start, length in self._held.get(seat, [])]

    @property
    def used(self) -> int:
        return sum(map(len, self._held.values()))

    def decode(self, chunks: Sequence[Chunk]) -> Decoded:
        total = sum(len(chunk.tokens) for chunk in chunks)
        assert 0 < total <= self.batch_size
        assert len({chunk.seat for chunk in chunks}) == len(chunks)
        outcome = self.outcomes.pop(0) if self.outcomes else "done"
        if outcome == "done" and self.used + total > self.capacity:
            outcome = "full"
        self.outputs = {}
        row = -1
        for chunk in chunks:
            held = self._held.setdefault(chunk.seat, [])
            assert chunk.start == len(held), "positions of a sequence follow each other"
            assert chunk.start + len(chunk.tokens) <= self.size
            # a batch that is not finished leaves a part behind
            done = chunk.tokens if outcome == "done" else chunk.tokens[:1]
            origin = chunk.start if len(chunks) == 1 else -1
            held += [(token, origin, len(chunk.tokens)) for token in done]
            row += len(chunk.tokens)
            if chunk.output and outcome == "done":
                self.outputs[row] = self.tokens(chunk.seat)
        self.decoded.append(list(chunks))
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    def forget(self, seat: int, start: int) -> bool:
        held = self._held.setdefault(seat, [])
        if not self.shares and 0 < start < len(held):
            return False
        del held[start:]
        return True

    def copy(self, source: int, target: int, length: int) -> None:
        assert self.shares
        assert not self._held.get(target)
        assert len(self._held[source]) >= length
        self._held[target] = self._held[source][:length]
