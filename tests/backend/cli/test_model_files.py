"""Fetching, looking at, planning and removing model files, as a person types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from hearth_shared.errors import BadRequest
from support.shell import hearth
from support.small_backend import Asked, Reply, SmallBackend, Stream, sse

pytestmark = pytest.mark.integration
BEGUN: dict[str, Any] = {
    **{"id": "dl_1", "source": "a/b", "state": "looking", "file": "", "done": 0, "total": 0, "rate": 0.0},
    **{"left_s": None, "model": "", "licence": "", "code": "", "detail": "", "fix": "", "seq": 7},
}
GOING = {**BEGUN, "state": "fetching", "file": "b.gguf", "total": 2_000_000_000}
DONE = {**GOING, "state": "done", "model": "b", "done": 2_000_000_000, "licence": "mit", "detail": "b.gguf is here."}
PLAN: dict[str, Any] = {
    **{"model": "b", "backend": "cuda", "device": "A Card", "gpu_layers": 20, "layers": 29, "context": 8192},
    **{"kv_type": "f16", "gpu_bytes": 3_000_000_000, "memory_bytes": 1_000_000_000, "gpu_free": 4_000_000_000},
    **{"memory_free": 8_000_000_000, "fits": True, "reasons": ["20 of 29 layers fit."]},
}


def told(seq: int, data: dict[str, Any]) -> bytes:
    return sse(seq, "download.progress", {"kind": "model", **data})


def pulling(backend: SmallBackend, *events: dict[str, Any]) -> None:
    def follow(asked: Asked) -> Reply:
        assert asked.headers["last-event-id"] == "7"
        others = [sse(8, "memory.stored", {"ids": []}), told(9, {**DONE, "id": "dl_other"})]
        return Stream([*others, *(told(10 + at, event) for at, event in enumerate(events))])

    backend.routes["POST", "/v1/model-files/downloads"] = lambda asked: BEGUN
    backend.routes["GET", "/v1/events"] = follow


def test_a_download_is_followed_to_its_end(backend: SmallBackend) -> None:
    half = {**GOING, "done": 1_000_000_000, "rate": 20e6, "left_s": 50.0}
    pulling(backend, GOING, half, {**GOING, "state": "checking"}, DONE)
    outcome = hearth("models", "pull", "a/b")
    assert outcome.status == 0
    assert "b is here: b.gguf, 2.0 GB, licence mit.\n" in outcome.out
    assert "b.gguf  1.0 GB of 2.0 GB  50 %  20.0 MB/s  50 s left\n" in outcome.err
    assert backend.asked[0].body == {"source": "a/b"}


def test_a_program_reads_each_step(backend: SmallBackend) -> None:
    pulling(backend, GOING, DONE)
    lines = hearth("models", "pull", "a/b", "--json").out.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["fetching", "done"]


def test_one_that_fails_says_why_and_what_to_do(backend: SmallBackend) -> None:
    why = {"code": "not_found", "detail": "The hub has no repository a/b.", "fix": "Look at its spelling."}
    pulling(backend, {**BEGUN, "state": "failed", **why})
    outcome = hearth("models", "pull", "a/b")
    assert outcome == (1, "", "hearth: The hub has no repository a/b. Look at its spelling.\n")


def test_what_is_no_source_is_refused(backend: SmallBackend) -> None:
    def refuse(asked: Asked) -> Reply:
        raise BadRequest("'x' names no repository.", "Write OWNER/NAME.")

    backend.routes["POST", "/v1/model-files/downloads"] = refuse
    assert hearth("models", "pull", "x").status == 1


def test_one_under_way_is_stopped_by_name_or_source(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/model-files/downloads"] = lambda asked: {"downloads": [GOING]}
    backend.routes["GET", "/v1/model-files/catalogue"] = lambda asked: {"models": [{"name": "bee", "source": "a/b"}]}
    backend.routes["DELETE", "/v1/model-files/downloads/dl_1"] = lambda asked: {**GOING, "detail": "It was stopped."}
    for name in ("a/b", "bee"):
        assert hearth("models", "pull", name, "--stop").out == "It was stopped.\n"
    assert hearth("models", "pull", "c/d", "--stop").status == 1


def test_a_plan_tells_layers_memory_and_reasons(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/model-files/plan"] = lambda asked: PLAN
    out = hearth("models", "plan", "b", "--context", "8192", "--gpu-layers", "-1").out
    assert backend.asked[-1].body == {"file": "b", "context": 8192, "gpu_layers": -1}
    assert "layers on the GPU  20 of 29\n" in out
    assert "GPU memory         about 3.0 GB of 4.0 GB free\n" in out
    assert out.endswith("20 of 29 layers fit.\n")


def test_a_file_beside_the_person_is_named_by_its_whole_path(
    backend: SmallBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.gguf").touch()
    backend.routes["POST", "/v1/model-files/plan"] = lambda asked: PLAN
    assert json.loads(hearth("models", "plan", "b.gguf", "--json").out) == PLAN
    assert backend.asked[-1].body["file"] == str(tmp_path / "b.gguf")


def test_info_tells_how_fast_it_was(backend: SmallBackend) -> None:
    file = {"name": "b.gguf", "path": "models/b.gguf", "bytes": 2_000_000_000, "model": "b"}
    found = {"file": file, "architecture": "llama", "name": "Bee", "layers": 28, "vocabulary": 32000}
    found |= {"trained_context": 40960, "roles": ["chat"], "chat_template": False, "plan": PLAN}
    found |= {"loaded": True, "load_s": 1.25, "tokens_per_s": 12.34, "words_per_s": 9.25, "pinned": False}
    found |= {"first_s": 0.754, "first_read": 1024}
    backend.routes["GET", "/v1/model-files/b"] = lambda asked: found
    out = hearth("models", "info", "b").out
    assert "Bee  models/b.gguf, 2.0 GB\n" in out
    assert "llama, 28 layers, chat, no chat template of its own\n" in out
    told = (
        "loaded in 1.2 s; on this machine its first word came after 0.75 s (1,024 tokens read), then 9.2 words a second"
    )
    assert told in " ".join(out.split())
    unloaded = {**found, "loaded": False, "pinned": True, "first_s": None}
    backend.routes["GET", "/v1/model-files/b"] = lambda asked: unloaded
    out = hearth("models", "info", "b").out
    assert "not loaded, pinned: it stays loaded; how fast it is shows after its first answer" in " ".join(out.split())


def test_removing_says_what_went(backend: SmallBackend) -> None:
    gone = {"model": "b", "files": ["b.gguf"], "bytes": 2_000_000_000}
    backend.routes["DELETE", "/v1/model-files/b"] = lambda asked: gone
    assert hearth("models", "rm", "b").out == "b.gguf removed: 2.0 GB are free again.\n"
    assert json.loads(hearth("models", "rm", "b", "--json").out) == gone
