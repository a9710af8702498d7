"""Model files for the engine's bench: the shapes of real models, filled with noise."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np

from support.gguf_files import generated, generator

_SEED = 5
_BLOCK, _BLOCK_BYTES = 32, 18  # Q4_0: a 16-bit scale and 32 numbers of 4 bits


def small() -> Path:
    """93 million weights in Q8_0."""
    shape = generator().Shape(32_000, 8_000_000, 640, 12, 10, 2, 1728, 8192, 2)
    return generated("hearth-bench-93m-q8", lambda path: generator().make_llama(path, shape, q8=True))


def large(billions: float) -> Path:
    """1.5 or 3 billion weights in Q4_0: random blocks, written directly."""
    width, layers, heads, wide = (1536, 28, 12, 8960) if billions < 2 else (2048, 36, 16, 11008)
    shape = generator().Shape(32_000, 8_000_000, width, layers, heads, 2, wide, 8192, _SEED)
    return generated(f"hearth-bench-{billions:g}b-q4", lambda path: _write(path, shape))


def _write(path: Path, shape: Any) -> None:
    make: Any = generator()
    writer = make._writer(path, "llama", path.stem)
    words, merges = make._train_bpe(shape.vocabulary, shape.corpus)
    vocabulary = make._Vocabulary(words, True)
    make._llama_keys(writer, shape, len(vocabulary.tokens), False)
    make._bpe_keys(writer, vocabulary, merges, True)
    writer.add_chat_template(make.TEMPLATE)
    make._llama_tensors(_Blocks(writer), shape, vocabulary)
    make._finish(writer)


class _Blocks:
    """Matrices of random 4-bit numbers, as large as noise of the wanted scale would be."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._noise = np.random.default_rng(_SEED)

    def matrix(self, name: str, rows: int, columns: int, scale: float, zero_rows: object = ()) -> None:
        blocks = self._noise.integers(0, 256, (rows, columns // _BLOCK, _BLOCK_BYTES), dtype=np.uint8)
        blocks[:, :, :2] = np.frombuffer(np.float16(scale / 4.6).tobytes(), np.uint8)  # 4.6: the spread of -8 to 7
        if isinstance(zero_rows, range):
            blocks[zero_rows.start : zero_rows.stop, :, :2] = 0
        data = blocks.reshape(rows, columns // _BLOCK * _BLOCK_BYTES)
        self._writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType.Q4_0)

    def full(self, name: str, value: float, *shape: int) -> None:
        self._writer.add_tensor(name, np.full(shape, value, np.float32))
