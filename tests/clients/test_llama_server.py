"""llama.cpp's own server's routes as its editor plugins use them, on llama.cpp itself with a small generated model."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from hearth_shared.protocol.principals import Scope
from support import tools
from support.backend import Backend, running
from support.gguf_files import TINY, generated, tiny

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    tools.need("llama_cpp")
    home: Path = tmp_path_factory.mktemp("llama-server") / "home"
    (home / "models").mkdir(parents=True)
    (home / "models" / f"{TINY}.gguf").symlink_to(generated(TINY, tiny()))
    with running(home) as backend:
        yield backend


@pytest.fixture(scope="module")
def program(house: Backend) -> httpx2.Client:
    return house.program(Scope.COMPLETE)


def test_health_and_props_tell_which_model_would_answer(program: httpx2.Client) -> None:
    assert program.get("/health").json() == {"status": "ok"}
    props = program.get("/props").json()
    assert props["model_alias"] == TINY
    assert props["default_generation_settings"]["n_ctx"] > 0


def test_a_text_is_filled_in_as_llama_vim_asks(program: httpx2.Client) -> None:
    asked = {
        "input_prefix": "def add(a, b):\n",
        "input_suffix": "\n\nprint(add(1, 2))\n",
        "input_extra": [{"filename": "other.py", "text": "def sub(a, b):\n    return a - b\n"}],
        "prompt": "    ret",
        "n_predict": 6,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": 60_000,
        "cache_prompt": True,
        "samplers": ["top_k", "top_p", "infill"],
        "top_k": 40,
        "top_p": 0.9,
        "stream": False,
        "n_indent": 4,
    }
    answer = program.post("/infill", json=asked).json()
    assert answer["stop"] is True
    assert answer["tokens_predicted"] <= 6
    assert answer["timings"]["predicted_n"] == answer["tokens_predicted"]
    assert answer["model"] == TINY


def test_a_completion_streams_and_ends_with_stop(program: httpx2.Client) -> None:
    with program.stream("POST", "/completion", json={"prompt": "once", "n_predict": 5, "stream": True}) as answer:
        events = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: ")]
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]


def test_tokens_go_there_and_back(program: httpx2.Client) -> None:
    tokens = program.post("/tokenize", json={"content": "a b c"}).json()["tokens"]
    assert tokens
    assert "a b c" in program.post("/detokenize", json={"tokens": tokens}).json()["content"]


@pytest.mark.parametrize(
    ("body", "field"), [({"grammar": "root ::= x"}, "grammar"), ({"n_probs": 3}, "n_probs"), ({"prompt": [1]}, "one")]
)
def test_what_cannot_be_honoured_is_named(program: httpx2.Client, body: dict[str, object], field: str) -> None:
    answer = program.post("/completion", json={"prompt": "x", **body})
    assert answer.status_code == 400
    assert field in answer.json()["error"]["message"]


def test_the_ollama_door_sees_the_loaded_model(house: Backend, program: httpx2.Client) -> None:
    door = house.program(Scope.CHAT, Scope.COMPLETE)
    filled = door.post("/api/generate", json={"model": TINY, "prompt": "a", "suffix": "b", "stream": False}).json()
    assert filled["done"] is True
    assert [model["name"] for model in door.get("/api/ps").json()["models"]] == [TINY]
    assert "insert" in door.post("/api/show", json={"model": TINY}).json()["capabilities"]
