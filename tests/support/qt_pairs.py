"""Remembers what signals of two values brought."""

from typing import Any

from PySide6.QtCore import QObject, Slot


class HeardPairs(QObject):
    """In order: `heard = HeardPairs(card.decided)`."""

    def __init__(self, signal: Any) -> None:
        super().__init__()
        self.values: list[tuple[str, Any]] = []
        signal.connect(self.hear)

    @Slot(str, object)
    def hear(self, name: str, value: Any) -> None:
        """One more."""
        self.values.append((name, value))
