"""Whether the view follows the end of what is written: only while the person is there.

Scrolling up or selecting stops it at once; coming back to the end begins it again.
"""

from typing import Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QTextBrowser

NEAR_PX: Final = 24


class Follow(QObject):
    """Moves a view's scroll bar, and only when the content grows."""

    changed = Signal(bool)
    """Whether it follows."""

    def __init__(self, view: QTextBrowser) -> None:
        super().__init__(view)
        self._view = view
        self._bar = view.verticalScrollBar()
        self._moving = False
        self.is_on = True
        self._bar.rangeChanged.connect(self._on_range)
        self._bar.valueChanged.connect(self._on_value)
        view.selectionChanged.connect(self._on_selection)

    def jump(self) -> None:
        """To the end, and stay there."""
        self._set(True)
        self._to_end()

    @Slot()
    def _on_range(self) -> None:
        if self.is_on:
            self._to_end()

    @Slot()
    def _on_value(self) -> None:
        if not self._moving:
            self._set(self._bar.maximum() - self._bar.value() <= NEAR_PX and not self._view.textCursor().hasSelection())

    @Slot()
    def _on_selection(self) -> None:
        if self._view.textCursor().hasSelection():
            self._set(False)

    def _to_end(self) -> None:
        self._moving = True
        self._bar.setValue(self._bar.maximum())
        self._moving = False

    def _set(self, on: bool) -> None:
        if on != self.is_on:
            self.is_on = on
            self.changed.emit(on)
