"""Whether it is the file that kills its engines, or a request. Pure."""

from collections.abc import Collection

_ENOUGH = 3


class Crashes:
    """The deaths of one file's engines since a request was last answered to its end.

    A request that was alive each time explains them all: it is refused, and the file stays. When no request was there
    each time, the file is at fault.
    """

    def __init__(self) -> None:
        self._deaths = 0
        self._suspects: set[int] = set()

    def worked(self) -> None:
        """A request was answered to its end."""
        self._deaths = 0

    def died(self, alive: Collection[int]) -> bool:
        """The engine died with these requests; whether that is the file's fault."""
        self._suspects = {*alive} & self._suspects if self._deaths else {*alive}
        self._deaths += 1
        return self._deaths >= _ENOUGH and not self._suspects
