"""all-MiniLM-L6-v2 in float32 numpy, batched: what the embedder's throughput is held against."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from hearth_backend.engine.minilm_int8 import LAYERS, Safetensors
from hearth_backend.engine.minilm_model import DIM, LONGEST, batches
from hearth_backend.engine.minilm_weights import TOKENIZER, WEIGHTS

_HEADS, _EPSILON, _BUDGET = 12, 1e-12, 1024
Float = NDArray[np.float32]


class NumpyMiniLM:
    """The same network as a careful person writes it: weights laid out once, texts of like length together.

    BLAS works on as many threads as the environment lets it; compare on one.
    """

    def __init__(self, folder: Path) -> None:
        self._weights = Safetensors(folder / WEIGHTS)
        self._tokenizer: Any = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    @cached_property
    def _tensors(self) -> dict[str, Float]:
        """In memory, matrices turned so that a product reads them in order."""
        return {
            name: np.ascontiguousarray(self._weights[name].T if name.endswith("weight") and "Norm" not in name and
                                       "embeddings" not in name else self._weights[name])
            for name in self._weights.table if self._weights.table[name]["dtype"] == "F32"
        }  # fmt: skip

    def embed(self, texts: Sequence[str]) -> Float:
        """One L2-normalised row for each text."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        rows = np.zeros((len(ids), DIM), np.float32)
        for chosen in batches([len(row) for row in ids], _BUDGET):
            rows[chosen] = self._run([ids[place] for place in chosen])
        return rows

    def _run(self, ids: list[list[int]]) -> Float:
        width = max(map(len, ids))
        tokens, mask = np.zeros((len(ids), width), np.int64), np.zeros((len(ids), width), np.float32)
        for row, values in enumerate(ids):
            tokens[row, : len(values)], mask[row, : len(values)] = values, 1
        w = self._tensors
        x = w["embeddings.word_embeddings.weight"][tokens] + w["embeddings.position_embeddings.weight"][:width]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = (1 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(LAYERS):
            x = self._layer(x, hidden, f"encoder.layer.{layer}.")
        mean = (x * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    def _layer(self, x: Float, hidden: Float, prefix: str) -> Float:
        count, width, _ = x.shape

        def heads(name: str) -> Float:
            part = self._linear(x, f"{prefix}attention.self.{name}")
            return part.reshape(count, width, _HEADS, -1).transpose(0, 2, 1, 3)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) * np.float32((DIM // _HEADS) ** -0.5) + hidden
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        context = (scores @ value).transpose(0, 2, 1, 3).reshape(count, width, DIM)
        attended = self._linear(context, f"{prefix}attention.output.dense")
        x = self._norm(x + attended, f"{prefix}attention.output.LayerNorm")
        y = _gelu(self._linear(x, f"{prefix}intermediate.dense"))
        return self._norm(x + self._linear(y, f"{prefix}output.dense"), f"{prefix}output.LayerNorm")

    def _linear(self, x: Float, name: str) -> Float:
        return x @ self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]

    def _norm(self, x: Float, name: str) -> Float:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(_EPSILON))
        return x * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]


def _gelu(x: Float) -> Float:
    """With the error function as Abramowitz and Stegun 7.1.26 has it, right to 1.5e-7; numpy has none."""
    z = np.abs(x) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * z)
    steps = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    polynomial = np.zeros_like(t)
    for step in steps:
        polynomial = (polynomial + np.float32(step)) * t
    erf = np.copysign(1 - polynomial * np.exp(-z * z), x)
    return x * np.float32(0.5) * (1 + erf)
