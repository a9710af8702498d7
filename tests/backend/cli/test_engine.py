import json
from typing import Any

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend, Stream, sse

pytestmark = pytest.mark.integration
CARD = {"name": "CUDA0", "detail": "A Card", "kind": "gpu", "free": 7_000_000_000, "total": 8_000_000_000}
CPU: dict[str, Any] = {
    **{"backend": "cpu", "version": "0.3.36", "origin": "installed with Hearth", "bytes": 18_000_000},
    **{"chosen": True, "usable": True, "detail": "", "devices": []},
}
BEGUN: dict[str, Any] = {
    **{"id": "build_1", "backend": "vulkan", "state": "building", "stage": "Beginning", "percent": None},
    **{"seconds": 0.0, "left_s": None, "log": "engine-vulkan.log", "code": "", "detail": "", "fix": "", "seq": 3},
}


def test_the_list_tells_what_each_finds_and_what_would_suit(backend: SmallBackend) -> None:
    broken = {**CPU, "backend": "vulkan", "chosen": False, "usable": False, "detail": "it cannot be loaded"}
    answer: dict[str, Any] = {"builds": [broken, CPU], "suits": "cuda", "why": "There is an NVIDIA GPU."}
    backend.routes["GET", "/v1/model-files/engine/builds"] = lambda asked: answer
    out = hearth("engine", "list").out
    assert "  vulkan 0.3.36  18.0 MB, installed with Hearth\n    it cannot be loaded\n● cpu" in out
    assert out.endswith("There is an NVIDIA GPU. `hearth engine install cuda` adds the build for it.\n")
    answer["builds"] = [{**CPU, "backend": "cuda", "devices": [CARD]}]
    out = hearth("engine", "list").out
    assert out.endswith("    A Card (gpu, 7.0 GB of 8.0 GB free)\n")
    assert json.loads(hearth("engine", "list", "--json").out) == answer


def test_without_any_build_it_says_how_to_get_one(backend: SmallBackend) -> None:
    answer: dict[str, Any] = {"builds": [], "suits": "cpu", "why": "No GPU was found."}
    backend.routes["GET", "/v1/model-files/engine/builds"] = lambda asked: answer
    assert "There is no engine here." in hearth("engine", "list").out


@pytest.mark.parametrize(("state", "status"), [("done", 0), ("failed", 1), ("cancelled", 1)])
def test_an_installation_is_followed_to_its_end(backend: SmallBackend, state: str, status: int) -> None:
    steps = [
        {**BEGUN, "stage": "Compiling", "percent": 40, "seconds": 70.0, "left_s": 120.0},
        {**BEGUN, "state": state, "detail": "It is over.", "fix": "Try again.", "code": "build_failed"},
    ]
    pieces = [sse(4 + at, "download.progress", {"kind": "engine", **step}) for at, step in enumerate(steps)]
    backend.routes["POST", "/v1/model-files/engine/installations"] = lambda asked: BEGUN
    backend.routes["GET", "/v1/events"] = lambda asked: Stream(pieces)
    outcome = hearth("engine", "install", "vulkan")
    assert outcome.status == status
    assert "vulkan: Compiling 40 %, 1 min so far, about 2 min left\n" in outcome.err
    assert ("hearth: It is over. Try again." in outcome.err) == (state == "failed")


def test_a_backend_nobody_knows_is_wrong_usage() -> None:
    assert hearth("engine", "install", "abacus").status == 2
