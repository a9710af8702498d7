import json

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

EMBEDDER = {
    "id": "minilm",
    "provider": "minilm",
    "where": "this machine",
    "roles": ["embed"],
    "context": 256,
    "test_model": False,
}
QWEN = {
    "id": "ollama/qwen",
    "provider": "ollama",
    "where": "this machine",
    "roles": ["chat"],
    "context": 32768,
    "test_model": False,
}

TINY = {
    "name": "tiny.gguf",
    "path": "models/tiny.gguf",
    "bytes": 2_000_000,
    "readable": True,
    "detail": "",
    "fix": "",
    "model": "tiny",
    "context": 4096,
    "test_model": True,
}
CUT = {
    **TINY,
    "name": "cut.gguf",
    "bytes": 100_000,
    "readable": False,
    "detail": "cut.gguf cannot be used: it is truncated.",
    "fix": "Download the file again.",
    "model": "cut",
    "context": None,
}


@pytest.fixture
def listing(backend: SmallBackend) -> SmallBackend:
    """A backend with an embedder and a language model."""
    backend.routes["GET", "/v1/status"] = lambda asked: {"models": [EMBEDDER, QWEN]}
    backend.routes["GET", "/v1/model-files"] = lambda asked: {"files": []}
    backend.routes["GET", "/v1/settings"] = lambda asked: {"values": {"models.chat": "ollama/qwen"}}
    return backend


def test_the_list_shows_models_the_chosen_one_and_the_files(listing: SmallBackend) -> None:
    listing.routes["GET", "/v1/model-files"] = lambda asked: {"files": [TINY, CUT]}
    out = hearth("models", "list").out
    assert "●  ollama/qwen  this machine  chat   32,768\n" in out
    assert "\n  tiny.gguf  2.0 MB\n" in out
    assert "\n  cut.gguf   0.1 MB  cannot be used: it is truncated. Download the file again.\n" in out


def test_for_a_program_the_same(listing: SmallBackend) -> None:
    found = json.loads(hearth("models", "list", "--json").out)
    assert (found["chosen"], found["models"], found["files"]) == ("ollama/qwen", [EMBEDDER, QWEN], [])


def test_without_a_language_model_it_says_how_to_connect_one(listing: SmallBackend) -> None:
    listing.routes["GET", "/v1/status"] = lambda asked: {"models": [EMBEDDER]}
    out = hearth("models", "list").out
    assert "No language model is connected." in out
    assert "hearth keys set openai" in out


def test_a_choice_is_kept(listing: SmallBackend) -> None:
    listing.routes["PUT", "/v1/settings"] = lambda asked: {"needs_restart": []}
    assert hearth("models", "use", "ollama/qwen").out == "ollama/qwen answers from now on.\n"
    assert listing.asked[-1].body == {"values": {"models.chat": "ollama/qwen"}}
    assert hearth("models", "use", "auto").out == "Hearth chooses the model.\n"


@pytest.mark.parametrize("name", ["minilm", "nonsense"])
def test_a_model_that_cannot_hold_a_conversation_is_not_chosen(listing: SmallBackend, name: str) -> None:
    outcome = hearth("models", "use", name)
    assert outcome.status == 1
    assert "hearth models list" in outcome.err
    assert all(asked.method == "GET" for asked in listing.asked)


@pytest.mark.parametrize("name", ["cut", "cut.gguf"])
def test_choosing_a_broken_file_says_what_is_wrong_with_it(listing: SmallBackend, name: str) -> None:
    listing.routes["GET", "/v1/model-files"] = lambda asked: {"files": [TINY, CUT]}
    outcome = hearth("models", "use", name)
    assert outcome == (1, "", "hearth: cut.gguf cannot be used: it is truncated. Download the file again.\n")
