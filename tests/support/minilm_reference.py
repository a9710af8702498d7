"""The same network in float64 numpy: slow, simple, and the judge of every other route."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hearth_backend.engine.minilm_int8 import LAYERS, Safetensors

_HEADS, _EPSILON = 12, 1e-12
Float = NDArray[np.float64]
_erf: Any = np.vectorize(math.erf)


class Reference:
    """Embeds token ids with the weights of a safetensors file."""

    def __init__(self, weights: Safetensors) -> None:
        self._weights = weights

    def embed(self, ids: list[int]) -> Float:
        """The L2-normalised mean of one text's token vectors."""
        x = self._norm(self._embedded(ids), "embeddings.LayerNorm")
        for layer in range(LAYERS):
            prefix = f"encoder.layer.{layer}."
            attended = self._linear(self._attention(x, prefix), prefix + "attention.output.dense")
            x = self._norm(x + attended, prefix + "attention.output.LayerNorm")
            y = self._linear(x, prefix + "intermediate.dense")
            y = y * 0.5 * (1 + _erf(y / math.sqrt(2)))
            x = self._norm(x + self._linear(y, prefix + "output.dense"), prefix + "output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)

    def _get(self, name: str) -> Float:
        return self._weights[name].astype(np.float64)

    def _embedded(self, ids: list[int]) -> Float:
        prefix = "embeddings."
        places = self._get(prefix + "position_embeddings.weight")[: len(ids)]
        kind = self._get(prefix + "token_type_embeddings.weight")[0]
        return self._get(prefix + "word_embeddings.weight")[ids] + places + kind

    def _attention(self, x: Float, prefix: str) -> Float:
        def heads(name: str) -> Float:
            return self._linear(x, f"{prefix}attention.self.{name}").reshape(len(x), _HEADS, -1).transpose(1, 0, 2)

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        share = np.exp(scores - scores.max(-1, keepdims=True))
        return (share / share.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(len(x), -1)

    def _linear(self, x: Float, name: str) -> Float:
        return x @ self._get(name + ".weight").T + self._get(name + ".bias")

    def _norm(self, x: Float, name: str) -> Float:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + _EPSILON)
        return scaled * self._get(name + ".weight") + self._get(name + ".bias")
