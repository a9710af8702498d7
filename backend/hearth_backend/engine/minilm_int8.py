"""The quantised variant's weights: one int8 scale per column, made here from the verified float32 file.

Per-column symmetric int8 needs no calibration and costs retrieval nothing measurable, at 1.7 times the speed. The
result is the same to the bit everywhere (elementwise IEEE arithmetic), so its hash is pinned too.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "minilm.int8.bin"
SHA256 = "72085524e15ba9a6af9b5b4346114fbca0d8914cafdd9d62eaac609b1d9bc2a3"
LAYERS = 6
_ALIGNMENT = 64
Array = NDArray[Any]


class Safetensors:
    """The tensors of a safetensors file, mapped, not read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            self.table: dict[str, Any] = json.loads(file.read(size))
        self.table.pop("__metadata__", None)
        self.start = 8 + size
        self._bytes = np.memmap(path, np.uint8, "r")

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        entry = self.table[name]
        first, last = (self.start + offset for offset in entry["data_offsets"])
        return self._bytes[first:last].view("<f4").reshape(entry["shape"])


def tensors(weights: Safetensors) -> Iterator[tuple[str, Array]]:
    """Name and value of everything in the file, in its order."""
    yield (
        "position",
        weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0],
    )
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        parts = [f"{prefix}attention.self.{part}" for part in ("query", "key", "value")]
        yield from _quantised(f"{prefix}qkv", np.concatenate([weights[f"{part}.weight"].T for part in parts], 1))
        yield f"{prefix}qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in parts])
        for name in ("attention.output.dense", "intermediate.dense", "output.dense"):
            yield from _quantised(prefix + name, weights[f"{prefix}{name}.weight"].T)


def layout(weights: Safetensors) -> Iterator[tuple[str, Array, int]]:
    """`tensors` with the offset of each in the file."""
    offset = 0
    for name, value in tensors(weights):
        yield name, value, offset
        offset += -(-value.nbytes // _ALIGNMENT) * _ALIGNMENT


def make(source: Path, target: Path) -> None:
    """Write the quantised weights of `source` to `target`."""
    with target.open("wb") as file:
        for _, value, offset in layout(Safetensors(source)):
            file.seek(offset)
            file.write(np.ascontiguousarray(value).tobytes())


def is_made(folder: Path) -> bool:
    """Whether the right file stands in `folder`."""
    try:
        with (folder / FILE).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    except OSError:
        return False


def _quantised(name: str, matrix: NDArray[np.float32]) -> Iterator[tuple[str, Array]]:
    scale = np.maximum(np.abs(matrix).max(0) / np.float32(127), np.float32(1e-8)).astype(np.float32)
    yield f"{name}.q", np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8)
    yield f"{name}.s", scale
