"""What a step of the model costs by its number of rows, and how rows are best laid into batches.

On a processor a batch of a few rows can cost more than as many single rows, on a big model or a GPU far less: the
curve is measured when a model is loaded, and decides.
"""

from collections.abc import Mapping
from functools import cached_property

_RIDE = 1.10  # a step may take this much longer for rows of a lower lane


class StepCost:
    """The measured curve, with straight lines between its points."""

    def __init__(self, seconds: Mapping[int, float], most: int) -> None:
        self._points = sorted({1: 1.0, **seconds}.items()) if not seconds else sorted(seconds.items())
        self._most = most

    def of(self, rows: int) -> float:
        """Seconds of one step."""
        below = max((point for point in self._points if point[0] <= rows), default=self._points[0])
        above = min((point for point in self._points if point[0] >= rows), default=below)
        if above[0] <= below[0]:
            return below[1] * (rows / below[0] if rows > below[0] else 1.0)
        return below[1] + (above[1] - below[1]) * (rows - below[0]) / (above[0] - below[0])

    def batches(self, rows: int) -> tuple[int, ...]:
        """The sizes of the batches that `rows` rows are cheapest in; one batch when that is not known to be dear."""
        return self._best[rows] if rows < len(self._best) else (rows,)

    def riders(self, rows: int, waiting: int) -> int:
        """How many of `waiting` rows may join a step of `rows` almost for nothing."""
        allowed = _RIDE * sum(map(self.of, self.batches(rows)))
        return max((more for more in range(waiting + 1) if self.of(rows + more) <= allowed), default=0)

    def rows_within(self, seconds: float) -> int:
        """How many rows of a large batch take so long, at the price of the largest measured; 0 when none was."""
        rows, price = self._points[-1]
        return int(seconds * rows / price) if self._most else 0

    @cached_property
    def _best(self) -> list[tuple[int, ...]]:
        best: list[tuple[int, ...]] = [()]
        price = [0.0]
        for rows in range(1, self._most + 1):
            # a batch more costs a hand-over more: it must be worth 5 %
            choices = [
                ((size, *best[rows - size]), self.of(size) + 1.05 * price[rows - size]) for size in range(1, rows)
            ]
            choices.append(((rows,), self.of(rows)))
            sizes, least = min(choices, key=lambda choice: choice[1])
            best.append(sizes)
            price.append(least)
        return best


FLAT = StepCost({1: 1.0, 1024: 1.0}, 0)
