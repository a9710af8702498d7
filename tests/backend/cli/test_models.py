import json
from pathlib import Path
from urllib.parse import quote

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
    backend.routes["GET", "/v1/model-files/downloads"] = lambda asked: {"downloads": []}
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


@pytest.mark.parametrize(
    ("role", "words"), [("complete", "completes what you type from now on"), ("embed", "embeds from now on")]
)
def test_a_model_is_chosen_for_one_role(listing: SmallBackend, role: str, words: str) -> None:
    models = [{**QWEN, "roles": ["chat", "complete"]}, EMBEDDER]
    listing.routes["GET", "/v1/status"] = lambda asked: {"models": models}
    listing.routes["PUT", "/v1/settings"] = lambda asked: {"needs_restart": []}
    name = "minilm" if role == "embed" else "ollama/qwen"
    assert hearth("models", "use", role, name).out == f"{name} {words}.\n"
    assert listing.asked[-1].body == {"values": {f"models.{role}": name}}


def test_a_model_that_cannot_do_it_is_not_chosen_for_it(listing: SmallBackend) -> None:
    assert hearth("models", "use", "embed", "ollama/qwen").err.startswith(
        "hearth: No model called ollama/qwen can embed now."
    )


def test_a_file_anywhere_is_chosen_by_its_path(listing: SmallBackend, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.touch()
    detail = {"file": {**TINY, "model": "mine"}, "roles": ["chat"]}
    listing.routes["GET", f"/v1/model-files/{quote(str(path), safe='')}"] = lambda asked: detail
    listing.routes["PUT", "/v1/settings"] = lambda asked: {"needs_restart": []}
    assert hearth("models", "use", "chat", str(path)).out == "mine answers from now on.\n"
    assert listing.asked[-1].body == {"values": {"engine.model_file": str(path), "models.chat": "mine"}}
    assert hearth("models", "use", "complete", str(path)).err.startswith("hearth: mine.gguf cannot complete")


@pytest.mark.parametrize(
    ("flag", "before", "after"),
    [
        ("--pin", "a, b", "a, b, minilm"),
        ("--pin", "minilm", "minilm"),
        ("--no-pin", "a,minilm", "a"),
        ("--pin", "", "minilm"),
    ],
)
def test_a_chosen_model_is_pinned_or_no_longer(listing: SmallBackend, flag: str, before: str, after: str) -> None:
    listing.routes["GET", "/v1/settings"] = lambda asked: {"values": {"engine.pinned": before}}
    listing.routes["PUT", "/v1/settings"] = lambda asked: {"needs_restart": []}
    out = hearth("models", "use", "embed", "minilm", flag).out
    assert ("Once it is loaded it stays loaded." in out) == (flag == "--pin")
    assert listing.asked[-1].body == {"values": {"models.embed": "minilm", "engine.pinned": after}}


def test_an_embedding_model_anywhere_is_chosen_beside_the_one_that_answers(
    listing: SmallBackend, tmp_path: Path
) -> None:
    path = tmp_path / "mine.gguf"
    path.touch()
    detail = {"file": {**TINY, "model": "mine"}, "roles": ["embed"]}
    listing.routes["GET", f"/v1/model-files/{quote(str(path), safe='')}"] = lambda asked: detail
    listing.routes["PUT", "/v1/settings"] = lambda asked: {"needs_restart": []}
    assert hearth("models", "use", "embed", str(path)).out == "mine embeds from now on.\n"
    assert listing.asked[-1].body == {"values": {"engine.embed_file": str(path), "models.embed": "mine"}}


def test_downloads_under_way_and_those_that_failed_are_in_the_list(listing: SmallBackend) -> None:
    going = {"source": "a/b", "state": "fetching", "file": "b.gguf", "done": 5_000_000, "total": 10_000_000}
    going |= {"rate": 1e6, "left_s": 5.0, "detail": "", "fix": ""}
    failed = {"source": "c/d", "state": "failed", "detail": "The hub cannot be reached.", "fix": "Pull it again."}
    listing.routes["GET", "/v1/model-files/downloads"] = lambda asked: {"downloads": [going, failed]}
    out = hearth("models", "list").out
    assert "  b.gguf  5.0 MB of 10.0 MB  50 %  1.0 MB/s  5 s left\n" in out
    assert "  c/d: The hub cannot be reached. Pull it again.\n" in out
