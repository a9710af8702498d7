"""How fast something grows of late, and how long the rest will take."""

from collections import deque

_WINDOW_S = 8.0


class Rate:
    """Amounts over time, of the last eight seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, at: float, amount: int) -> None:
        """What there was at this time; less than before begins anew."""
        if self._seen and amount < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((at, amount))
        while len(self._seen) > 2 and at - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def value(self) -> float:
        """Per second; 0 while nothing can be said."""
        if len(self._seen) < 2 or self._seen[-1][0] <= self._seen[0][0]:
            return 0.0
        return (self._seen[-1][1] - self._seen[0][1]) / (self._seen[-1][0] - self._seen[0][0])

    def left(self, total: int) -> float | None:
        """Seconds until `total`; None while that cannot be said."""
        value = self.value
        return max(0, total - self._seen[-1][1]) / value if value > 0 and total else None
