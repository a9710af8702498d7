from typing import Any

import pytest

from hearth_backend.engine.shape import shape_of

pytestmark = pytest.mark.unit
KEYS: dict[str, Any] = {
    **{"llama.block_count": 3, "llama.embedding_length": 64, "llama.attention.head_count": 4},
    **{"llama.attention.head_count_kv": 2, "llama.feed_forward_length": 256, "llama.context_length": 4096},
}
TENSORS = {"token_embd.weight": 100, "output_norm.weight": 1, "output.weight": 90} | {
    f"blk.{layer}.{name}.weight": size for layer in range(3) for name, size in (("attn_q", 10), ("ffn_up", 20))
}


def test_bytes_are_counted_where_they_lie() -> None:
    shape = shape_of("llama", KEYS, TENSORS, 1000)
    assert (shape.layers, shape.output, shape.embedding_table) == ((30, 30, 30), 91, 100)
    assert (shape.kv_heads, shape.key, shape.value, shape.count) == ((2, 2, 2), 16, 16, 4)
    assert shape.weights == sum(TENSORS.values())
    assert shape.kv_per_token(0, "f16") == 2 * 32 * 2


def test_a_table_that_is_also_the_output_lies_on_both_sides() -> None:
    tied = {name: size for name, size in TENSORS.items() if name != "output.weight"}
    assert shape_of("llama", KEYS, tied, 1000).output == 101


def test_layers_may_differ_in_what_they_keep() -> None:
    keys = {**KEYS, "llama.attention.head_count_kv": (0, 4), "llama.attention.key_length": 32}
    shape = shape_of("llama", keys, TENSORS, 1000)
    assert (shape.kv_heads, shape.key, shape.value) == ((0, 4, 0), 32, 16)


@pytest.mark.parametrize("value", [-1, 1 << 60, "four", None, 1.5, ("x",), ()])
@pytest.mark.parametrize("key", list(KEYS))
def test_whatever_a_header_claims_a_shape_comes_of_it(key: str, value: object) -> None:
    shape = shape_of("llama", {**KEYS, key: value}, TENSORS, 1000)
    assert all(heads >= 0 for heads in shape.kv_heads)
    assert len(shape.kv_heads) == len(shape.layers) <= 4096


def test_a_huge_claim_of_layers_costs_nothing() -> None:
    assert len(shape_of("llama", {**KEYS, "llama.block_count": 2_000_000_000}, TENSORS, 1).layers) == 4096
