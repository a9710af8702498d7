"""The runs of equally formatted text in a block."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from PySide6.QtGui import QTextBlock, QTextFragment


def fragments(block: QTextBlock) -> Iterator[QTextFragment]:
    """From first to last."""
    for place in cast("Iterable[Any]", block):  # Qt's iterator is its own item
        yield place.fragment()
