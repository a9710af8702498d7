"""Model files over the wire: broken ones, fetching that outlives doors and backends, planning, removing."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from hearth_shared.protocol.principals import Scope
from support import tools
from support.backend import LIMIT_S, Backend, running
from support.command import start
from support.gguf_files import tiny_gguf
from support.hub import FakeHub

__all__ = ["tiny_gguf"]
pytestmark = pytest.mark.integration
REPO, FILE = "maker/tiny-GGUF", "tiny-Q8_0.gguf"
DOWNLOADS = "/v1/model-files/downloads"


@pytest.fixture
def fake(tiny_gguf: Path) -> Iterator[FakeHub]:
    tools.need("huggingface_hub")
    with FakeHub() as hub:
        hub.put(REPO, FILE, tiny_gguf.read_bytes())
        yield hub


@pytest.fixture
def fetching(fake: FakeHub, tmp_path: Path) -> Iterator[Backend]:
    """A backend whose hub is on loopback."""
    with running(tmp_path / "home", environ={"HF_ENDPOINT": fake.url}) as backend:
        yield backend


def end_of(backend: Backend, seq: int = 0) -> dict[str, Any]:
    """The last event of a download, waited for."""
    path = "/v1/events"
    with backend.door().stream("GET", path, params={"after_seq": seq}, timeout=LIMIT_S) as stream:
        for line in stream.iter_lines():
            event: dict[str, Any] = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if event.get("type") == "download.progress" and event["data"]["state"] in ("done", "failed", "cancelled"):
                return event["data"]
    raise AssertionError("the stream ended before the download did")


def test_a_file_that_is_no_model_is_told_with_its_cause_and_fix(backend: Backend) -> None:
    path = backend.home.models / "noise.gguf"
    path.write_bytes(b"hello" * 1000)
    try:
        (file,) = backend.program(Scope.MODELS).get("/v1/model-files").json()["files"]
        checks = backend.door().get("/v1/doctor").json()["checks"]
    finally:
        path.unlink()
    assert (file["name"], file["model"], file["bytes"], file["readable"]) == ("noise.gguf", "noise", 5000, False)
    assert file["detail"] == "noise.gguf cannot be used: it is not a GGUF file."
    assert file["fix"]
    (check,) = [check for check in checks if check["name"] == "model files"]
    assert (check["state"], check["detail"]) == ("warn", file["detail"])


def test_a_model_is_fetched_looked_at_planned_and_removed(fetching: Backend) -> None:
    program = fetching.program(Scope.MODELS)
    begun = program.post(DOWNLOADS, json={"source": REPO})
    assert (begun.status_code, begun.json()["state"]) == (202, "looking")
    assert end_of(fetching)["model"] == "tiny-Q8_0"
    assert program.get(f"{DOWNLOADS}/{begun.json()['id']}").json()["state"] == "done"
    detail = program.get("/v1/model-files/tiny-Q8_0").json()
    assert (detail["architecture"], detail["layers"], detail["roles"]) == ("llama", 4, ["chat", "complete"])
    planned = program.post("/v1/model-files/plan", json={"file": "tiny-Q8_0", "context": 1024}).json()
    assert (planned["context"], planned["layers"], planned["fits"]) == (1024, 5, True)
    assert planned["reasons"]
    gone = program.delete("/v1/model-files/tiny-Q8_0").json()
    assert gone["files"] == [FILE]
    assert program.get("/v1/model-files/tiny-Q8_0").status_code == 404


def test_a_download_outlives_the_door_that_began_it(fetching: Backend, fake: FakeHub) -> None:
    fake.hold_at = 500_000
    door = start(fetching, "models", "pull", REPO)
    assert fake.held.wait(LIMIT_S)
    assert door.stderr is not None
    assert door.stderr.readline()  # it has heard how far the download is, so it is watching
    door.send_signal(signal.SIGINT)
    out, err = door.communicate(timeout=LIMIT_S)
    assert (door.returncode, out) == (130, "")
    assert "It goes on without this terminal." in err
    fake.go.set()
    assert end_of(fetching)["state"] == "done"


def test_a_backend_that_is_killed_goes_on_with_it_at_its_next_start(
    fake: FakeHub, tmp_path: Path, tiny_gguf: Path
) -> None:
    fake.hold_at = 1_000_000
    environ = {"HF_ENDPOINT": fake.url}
    with running(tmp_path / "home", environ=environ) as backend:
        backend.door().post(DOWNLOADS, json={"source": REPO})
        assert fake.held.wait(LIMIT_S)
        backend.stop(signal.SIGKILL)
    fake.go.set()
    with running(tmp_path / "home", environ=environ) as backend:
        assert end_of(backend)["state"] == "done"
        assert (backend.home.models / FILE).read_bytes() == tiny_gguf.read_bytes()


def test_a_download_is_cancelled_and_leaves_nothing(fetching: Backend, fake: FakeHub) -> None:
    fake.hold_at = 500_000
    begun = fetching.door().post(DOWNLOADS, json={"source": REPO}).json()
    assert fake.held.wait(LIMIT_S)
    assert fetching.door().delete(f"{DOWNLOADS}/{begun['id']}").json()["state"] == "cancelled"
    assert list(fetching.home.models.rglob("*.gguf")) == []


def test_the_catalogue_says_what_fits(backend: Backend) -> None:
    found = backend.door().get("/v1/model-files/catalogue").json()
    sizes = [one["bytes"] for one in found["models"]]
    assert sizes == sorted(sizes)
    assert {one["fits"] for one in found["models"]} <= {"gpu", "partly", "memory", "no"}
    assert all(one["licence"] and one["context"] and one["detail"] for one in found["models"])
    assert found["offered"] in ("", *(one["name"] for one in found["models"]))


@pytest.mark.parametrize("source", ["x", "a/../b", "a/b:../c.gguf", "a/b:c\n.gguf"])
def test_a_source_that_is_none_is_refused(backend: Backend, source: str) -> None:
    answer = backend.door().post(DOWNLOADS, json={"source": source})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["fix"]


@pytest.mark.parametrize(
    "name", ["nobody", "../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2Fetc%2Fpasswd", "a%0Ab", "%00", "x" * 3000]
)
def test_a_name_that_is_no_model_is_neither_shown_nor_removed(backend: Backend, name: str) -> None:
    for answer in (
        backend.door().delete(f"/v1/model-files/{name}"),
        backend.door().get(f"/v1/model-files/{name}"),
    ):
        assert answer.status_code in (400, 404, 422), answer.text
        assert answer.json()["detail"]


def test_a_file_outside_the_folder_is_shown_but_not_removed(tmp_path: Path, tiny_gguf: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(tiny_gguf.read_bytes())
    with running(tmp_path / "home", f'[engine]\nmodel_file = "{mine}"\n') as backend:
        answer: httpx2.Response = backend.door().delete("/v1/model-files/mine")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert backend.door().get("/v1/model-files/mine").json()["file"]["path"] == str(mine)
    assert mine.exists()


def test_only_who_may_administer_models_may_do_any_of_it(backend: Backend) -> None:
    stranger = backend.program(Scope.CHAT, Scope.COMPLETE)
    for path in (DOWNLOADS, "/v1/model-files/catalogue", "/v1/model-files/x", "/v1/model-files/engine/builds"):
        assert stranger.get(path).status_code == 403
    assert stranger.post(DOWNLOADS, json={"source": REPO}).status_code == 403
    assert stranger.delete("/v1/model-files/x").status_code == 403
