"""The plan is arithmetic: it fits what it says fits, gives up the least first, and says why."""

import dataclasses
import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.engine.gguf import read_facts
from hearth_backend.engine.plan import (
    LEAST_CONTEXT,
    Device,
    Room,
    Wish,
    cells,
    compute_bytes,
    gpu_bytes,
    kv_bytes,
    memory_bytes,
    plan,
)
from hearth_backend.engine.shape import Shape
from support import tools
from support.gguf_files import tiny_gguf

__all__ = ["tiny_gguf"]
pytestmark = pytest.mark.engine
GB = 1_000_000_000
# About a model of four billion parameters in Q4_K_M.
FOUR_B = Shape(
    layers=(60_000_000,) * 36,
    output=300_000_000,
    embedding_table=300_000_000,
    kv_heads=(8,) * 36,
    key=128,
    value=128,
    embedding=2560,
    feed_forward=9728,
    vocabulary=151_936,
    trained_context=40_960,
)


def card(free: float, total: float = 24, kind: str = "gpu") -> Device:
    return Device("GPU0", "A Card", kind, int(free * GB), int(total * GB))


def room(gpu: Device | None = None, free: float = 32, others: Sequence[Device] = ()) -> Room:
    return Room(int(free * GB), int(free * GB), gpu, tuple(others))


def test_a_large_card_takes_everything() -> None:
    made = plan(FOUR_B, room(card(23)), Wish(32_768))
    assert (made.gpu_layers, made.context, made.kv_type) == (37, 32_768, "f16")
    assert made.gpu_bytes + max(512 << 20, int(24 * GB * 0.08)) <= 23 * GB
    assert "All 37 layers fit" in made.reasons[-1]


def test_the_context_gives_way_before_the_layers_do() -> None:
    made = plan(FOUR_B, room(card(6, 8)), Wish(32_768))
    assert (made.gpu_layers, made.context) == (37, 16_384)
    assert any("16,384 tokens instead of 32,768" in reason for reason in made.reasons)


def test_a_denser_cache_goes_before_a_shorter_context_where_the_engine_can_keep_one() -> None:
    made = plan(FOUR_B, room(card(6, 8)), Wish(20_000, kv_types=("f16", "q8_0")))
    assert (made.gpu_layers, made.context, made.kv_type) == (37, 20_000, "q8_0")
    assert any("q8_0" in reason for reason in made.reasons)


def test_a_small_card_takes_some_layers_with_the_least_context() -> None:
    made = plan(FOUR_B, room(card(3, 4)), Wish(32_768))
    assert 0 < made.gpu_layers < 37
    assert made.context == LEAST_CONTEXT
    assert f"{made.gpu_layers} of 37 layers fit" in made.reasons[-1]


def test_a_card_without_room_leaves_it_to_the_processor() -> None:
    made = plan(FOUR_B, room(card(0.5, 4)), Wish(8192))
    assert (made.gpu_layers, made.gpu_bytes) == (0, 0)
    assert any("Not even one layer fits" in reason for reason in made.reasons)


def test_without_a_gpu_the_processor_does_it_and_says_so() -> None:
    made = plan(FOUR_B, room(), Wish(8192))
    assert (made.gpu_layers, made.fits) == (0, True)
    assert made.reasons == ("No GPU can be used: it runs on the processor.",)


def test_too_little_memory_is_said_with_both_numbers() -> None:
    made = plan(FOUR_B, room(free=2), Wish(8192))
    assert not made.fits
    assert "2.0 GB are free" in made.reasons[-1]


def test_layers_that_the_person_set_are_tried_also_when_they_seem_too_many() -> None:
    made = plan(FOUR_B, room(card(3, 4)), Wish(8192, gpu_layers=30))
    assert made.gpu_layers == 30
    assert "asks for 30" in made.reasons[-1]
    assert plan(FOUR_B, room(card(23)), Wish(8192, gpu_layers=0)).gpu_layers == 0
    assert plan(FOUR_B, room(card(23)), Wish(8192, gpu_layers=999)).gpu_layers == 37


def test_the_model_s_own_context_is_a_limit() -> None:
    made = plan(dataclasses.replace(FOUR_B, trained_context=2048), room(card(23)), Wish(8192))
    assert made.context == 2048
    assert "at most 2,048 tokens" in made.reasons[0]


def test_an_integrated_gpu_has_no_more_than_the_machine() -> None:
    made = plan(FOUR_B, room(card(30, 32, "integrated"), free=4), Wish(8192))
    assert made.gpu_layers < 37


@given(free=st.floats(0, 40), memory=st.floats(0, 64), context=st.integers(256, 200_000), layers=st.integers(-1, 50))
def test_whatever_there_is_the_plan_keeps_to_it(free: float, memory: float, context: int, layers: int) -> None:
    made = plan(FOUR_B, room(card(free, 40), memory), Wish(context, layers, ("f16", "q8_0")))
    assert 0 <= made.gpu_layers <= 37
    assert min(context, LEAST_CONTEXT) <= made.context <= min(context, 40_960)
    assert made.reasons
    if layers < 0 and made.gpu_layers:
        assert made.gpu_bytes <= free * GB
    assert made.memory_bytes == memory_bytes(FOUR_B, made.gpu_layers, made.context, made.kv_type)


def test_two_cards_take_together_what_neither_takes_alone() -> None:
    alone, both = (plan(FOUR_B, room(card(6, 8), others=others), Wish(32_768)) for others in ([], [card(5, 8)]))
    assert (alone.context, alone.split) == (16_384, ())
    assert (both.gpu_layers, both.context, both.kv_type) == (37, 32_768, "f16")
    assert len(both.split) == 2
    assert sum(both.split) == 37
    assert both.gpu_bytes == gpu_bytes(FOUR_B, 37, 32_768, "f16") + compute_bytes(FOUR_B, 32_768)
    assert f"fit on 2 cards ({both.split[0]} and {both.split[1]})" in both.reasons[-1]
    assert sum("free" in reason for reason in both.reasons) == 2


def test_one_card_that_holds_it_is_used_alone() -> None:
    made = plan(FOUR_B, room(card(23), others=[card(22), card(20)]), Wish(32_768))
    assert (made.gpu_layers, made.split) == (37, ())
    assert made == plan(FOUR_B, room(card(23)), Wish(32_768))


def test_cards_that_are_too_small_together_take_what_they_can() -> None:
    alone, both = (plan(FOUR_B, room(card(2, 4), others=others), Wish(32_768)) for others in ([], [card(2, 4)]))
    assert 0 < alone.gpu_layers < both.gpu_layers < 37
    assert sum(both.split) == both.gpu_layers


def taken(layers: int, context: int, kv_type: str, split: Sequence[int]) -> list[int]:
    """What each card gets when llama.cpp lays out the layers in their order, the output last."""
    tokens = cells(FOUR_B, context)
    first = len(FOUR_B.layers) - (layers - 1)
    parts = [FOUR_B.layers[at] + tokens * FOUR_B.kv_per_token(at, kv_type) for at in range(first, 36)]
    parts.append(FOUR_B.output)
    borders = [0, *itertools.accumulate(split)]
    each = [sum(parts[start:end]) for start, end in itertools.pairwise(borders)]
    return [int(size) + compute_bytes(FOUR_B, context) for size in each]


@given(st.lists(st.floats(0.1, 24), min_size=1, max_size=4), st.integers(256, 60_000), st.integers(-1, 40))
def test_no_card_is_given_more_than_it_has(frees: list[float], context: int, layers: int) -> None:
    cards = [card(free) for free in sorted(frees, reverse=True)]
    wish = Wish(context, layers, ("f16", "q8_0"))
    made = plan(FOUR_B, room(cards[0], others=cards[1:]), wish)
    alone = plan(FOUR_B, room(cards[0]), wish)
    assert made.gpu_layers >= alone.gpu_layers
    assert made.context >= alone.context or made.gpu_layers > alone.gpu_layers
    if layers > made.gpu_layers or not made.split:
        return
    if sum(made.split) == made.gpu_layers:  # else more were asked for than fit
        held = taken(made.gpu_layers, made.context, made.kv_type, made.split)
        assert all(size <= card.free - int(card.total * 0.08) + 64 for size, card in zip(held, cards, strict=False))


@given(layers=st.integers(1, 36), context=st.integers(256, 40_960))
def test_more_layers_take_more_of_the_gpu_and_less_of_memory(layers: int, context: int) -> None:
    assert gpu_bytes(FOUR_B, layers + 1, context, "f16") > gpu_bytes(FOUR_B, layers, context, "f16")
    assert memory_bytes(FOUR_B, layers + 1, context, "f16") < memory_bytes(FOUR_B, layers, context, "f16")


LOADS = """
import sys, llama_cpp.llama_cpp as C
@C.llama_log_callback
def note(level, text, data):
    if b"buffer size" in text:
        sys.stdout.write(text.decode())
C.llama_log_set(note, None)
params = C.llama_model_default_params()
model = C.llama_model_load_from_file(sys.argv[1].encode(), params)
for kind in (1, 8):
    context = C.llama_context_default_params()
    context.n_ctx, context.n_batch, context.n_ubatch = 4096, 512, 512
    context.type_k = context.type_v = kind
    context.flash_attn_type = 1
    C.llama_init_from_model(model, context)
"""


def test_what_llama_cpp_takes_is_what_was_predicted(tiny_gguf: Path) -> None:
    tools.need("llama_cpp")
    done = subprocess.run([sys.executable, "-c", LOADS, str(tiny_gguf)], capture_output=True, text=True, check=True)
    sizes = [(line, float(line.rpartition("=")[2].split()[0]) * 2**20) for line in done.stdout.splitlines()]
    shape = read_facts(tiny_gguf).shape
    caches = [size for line, size in sizes if "KV buffer" in line]
    assert caches[0] == pytest.approx(kv_bytes(shape, 4096, "f16"), rel=0.005)
    if len(caches) > 1:  # 32 does not divide the head of this model in every build
        assert caches[1] == pytest.approx(kv_bytes(shape, 4096, "q8_0"), rel=0.005)
    (weights,) = [size for line, size in sizes if "model buffer" in line]
    assert weights == pytest.approx(shape.weights, rel=0.02)
    computing = [size for line, size in sizes if "compute buffer" in line]
    assert max(computing) <= compute_bytes(shape, 4096)
