from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from hearth_backend.engine import minilm_weights
from hearth_backend.engine.minilm_int8 import Safetensors
from hearth_backend.engine.minilm_model import LONGEST, MiniLM, batches
from support.embedders import need_minilm
from support.minilm_reference import Reference

pytestmark = pytest.mark.integration
TEXTS = ["hello", "naïve café — 東京 🚀", "word " * 40, "She moved from Lyon to Turin in May 2023.", "", "x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_minilm()
    return tmp_path_factory.mktemp("minilm")


@pytest.mark.parametrize(("variant", "least"), [("fp32", 0.9999999), ("int8", 0.97)])
def test_the_graph_agrees_with_a_float64_forward_pass(folder: Path, variant: str, least: float) -> None:
    model = MiniLM(minilm_weights.place(folder, variant), 1)
    tokenizer = Tokenizer.from_file(str(folder / minilm_weights.TOKENIZER))
    tokenizer.no_padding()
    reference = Reference(Safetensors(folder / minilm_weights.WEIGHTS))
    rows = model.embed(TEXTS)
    expected = np.array([reference.embed(tokenizer.encode(text).ids) for text in TEXTS])
    assert (rows * expected).sum(1).min() > least
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_a_text_is_the_same_alone_and_among_others(folder: Path) -> None:
    model = MiniLM(minilm_weights.place(folder, "fp32"), 1)
    together = model.embed(TEXTS)
    for text, row in zip(TEXTS, together, strict=True):
        assert np.abs(model.embed([text])[0] - row).max() < 1e-5


def test_only_the_beginning_of_a_long_text_is_read(folder: Path) -> None:
    model = MiniLM(minilm_weights.place(folder, "fp32"), 1)
    long = "word " * LONGEST
    assert np.array_equal(model.embed([long])[0], model.embed([long + "other " * 5000])[0])


def test_large_batches_are_noticed_and_given_back(folder: Path) -> None:
    model = MiniLM(minilm_weights.place(folder, "fp32"), 1)
    model.embed(["short"])
    assert not model.grown
    model.embed(["word " * 200] * 4)
    assert model.grown
    model.shrink()
    assert not model.grown


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 4096))
def test_batches_hold_everything_once_within_the_budget(lengths: list[int], budget: int) -> None:
    cut = list(batches(lengths, budget))
    assert sorted(position for batch in cut for position in batch) == list(range(len(lengths)))
    for batch in cut:
        widest = max(lengths[position] for position in batch)
        assert len(batch) == 1 or widest * len(batch) <= budget
