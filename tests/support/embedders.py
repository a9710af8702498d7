"""Embedders: one that hashes words, and the weights of the real one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hearth_backend.engine import minilm_weights
from hearth_backend.memory.text import STOP, words
from hearth_shared.errors import HearthError


@dataclass
class WordEmbedder:
    """Texts that share words are near each other; equal texts are equal. Remembers what it was asked."""

    id: str = "words.1"
    dim: int = 512
    there: bool = True
    failure: HearthError | None = None
    asked: list[str] = field(default_factory=list[str])

    async def available(self) -> bool:
        return self.there

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.failure is not None:
            raise self.failure
        self.asked += texts
        rows = np.array([self._row(text) for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _row(self, text: str) -> NDArray[np.float32]:
        row = np.full(self.dim, 0.01, np.float32)
        for word in words(text):
            if word not in STOP:
                row[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % self.dim] += 1
        return row


def need_minilm() -> Path:
    """The folder of the real weights; skips the test where they are not installed."""
    folder = minilm_weights.installed()
    if folder is None:
        pytest.skip("needs minilm")
    return folder
