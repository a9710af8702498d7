"""The sizes inside a model file that decide how much memory it takes, and where it can be cut in two."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

_BLOCK = re.compile(r"blk\.(\d+)\.")
_MOST_LAYERS = 4096
# Bytes of one element in the cache; a quantised one keeps a scale for each 32.
KV_BYTES: Mapping[str, float] = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}


@dataclass(frozen=True, slots=True)
class Shape:
    """Bytes of each layer, of what follows the layers and of what comes before; what one token keeps in each layer."""

    layers: tuple[int, ...] = ()
    output: int = 0
    embedding_table: int = 0
    kv_heads: tuple[int, ...] = ()
    key: int = 0
    value: int = 0
    embedding: int = 0
    feed_forward: int = 0
    vocabulary: int = 0
    trained_context: int = 0

    @property
    def count(self) -> int:
        """Layers there are to place; the output is one more."""
        return len(self.layers) + 1

    @property
    def weights(self) -> int:
        """Bytes of all tensors."""
        return sum(self.layers) + self.output + self.embedding_table

    def kv_per_token(self, layer: int, kv_type: str) -> float:
        """Bytes that one token keeps in this layer."""
        return self.kv_heads[layer] * (self.key + self.value) * KV_BYTES[kv_type]


NO_SHAPE = Shape()


def shape_of(architecture: str, keys: Mapping[str, Any], tensors: Mapping[str, int], vocabulary: int) -> Shape:
    """From the keys and tensors of a header. What it does not say is 0."""

    def number(name: str) -> int:
        value = keys.get(f"{architecture}.{name}", 0)
        if isinstance(value, tuple):  # one for each layer: the largest is on the safe side
            value = max((one for one in cast("tuple[Any, ...]", value) if isinstance(one, int)), default=0)
        return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0

    count = min(number("block_count"), _MOST_LAYERS)
    layers, before, after = _bytes(count, tensors)
    heads = number("attention.head_count")
    width = number("embedding_length") // heads if heads else 0
    return Shape(
        layers=layers,
        output=after,
        embedding_table=before,
        kv_heads=_kv_heads(keys.get(f"{architecture}.attention.head_count_kv"), count, heads),
        key=number("attention.key_length") or width,
        value=number("attention.value_length") or width,
        embedding=number("embedding_length"),
        feed_forward=number("feed_forward_length"),
        vocabulary=vocabulary,
        trained_context=number("context_length"),
    )


def _bytes(count: int, tensors: Mapping[str, int]) -> tuple[tuple[int, ...], int, int]:
    layers = [0] * count
    before = after = 0
    for name, size in tensors.items():
        found = _BLOCK.match(name)
        if found and int(found[1]) < count:
            layers[int(found[1])] += size
        elif name.startswith(("token_embd", "position_embd", "token_types")):
            before += size
        else:
            after += size
    if "output.weight" not in tensors:  # it writes with the table it reads with: then that lies on both sides
        after += tensors.get("token_embd.weight", 0)
    return tuple(layers), before, after


def _kv_heads(said: Any, count: int, heads: int) -> tuple[int, ...]:
    if isinstance(said, tuple):
        each = [one if isinstance(one, int) and one > 0 else 0 for one in cast("tuple[Any, ...]", said)]
        return tuple((each + [0] * count)[:count])
    return (said if isinstance(said, int) and said > 0 else heads,) * count
