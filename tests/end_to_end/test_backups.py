import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hearth_shared import discovery
from hearth_shared.client import BackendClient
from hearth_shared.protocol.principals import Scope
from support.backend import Backend, running
from support.command import hearth

pytestmark = pytest.mark.integration


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    monkeypatch.setenv("HEARTH_SERVER__PORT", "0")
    monkeypatch.setenv("HEARTH_BRIDGE__PORT", "0")
    monkeypatch.setenv("HEARTH_MODELS__LOOK_AROUND", "false")
    with running(tmp_path / "home") as backend:
        yield backend
        discovery.stop_backend(backend.home)


def remembered(backend: Backend, question: str) -> list[str]:
    """What is found now, by whichever process is the backend."""
    client = BackendClient(backend.home, "cli", start=False)
    found = client.request("POST", "/v1/memory/search", {"query": question})
    return [hit["text"] for hit in found["results"]]


def tell(backend: Backend, text: str) -> None:
    episode = {"external_id": text, "text": text, "source": "person", "occurred_at": "2026-01-05T10:00:00Z"}
    client = BackendClient(backend.home, "cli", start=False)
    client.request("POST", "/v1/memory/episodes", {"episodes": [episode]})


def test_everything_is_as_it_was_and_what_was_there_is_kept(house: Backend) -> None:
    tell(house, "The build server is called Freesia.")
    made = json.loads(hearth(house, "backup", "create", "--json").out)
    tell(house, "The gate code is 7741.")
    assert hearth(house, "backup", "verify").out.startswith(f"{made['id']} is whole")
    before = discovery.read_endpoint(house.home)
    asked = hearth(house, "backup", "restore", made["id"])
    assert asked.status != 0  # nobody sits there to agree
    assert "--yes" in asked.err
    done = hearth(house, "backup", "restore", "--yes")
    assert done.status == 0, done.err
    assert f"Everything is as {made['id']} has it" in done.out
    after = discovery.read_endpoint(house.home)
    assert before is not None
    assert after is not None
    assert after.pid != before.pid
    assert any("Freesia" in text for text in remembered(house, "build server"))
    assert not any("7741" in text for text in remembered(house, "gate code"))
    assert list((house.home.data / "backups" / "replaced").glob("*/data/hearth.db"))


def test_what_a_killed_attempt_left_is_cleared_and_the_next_backup_is_whole(house: Backend) -> None:
    tell(house, "The build server is called Freesia.")
    assert hearth(house, "backup", "create").status == 0
    folder = house.home.data / "backups"
    (folder / ".making-killed").mkdir()
    (folder / ".making-killed" / "hearth.db").write_bytes(os.urandom(1000))
    os.kill(house.process.pid, signal.SIGKILL)
    house.process.wait()
    with running(house.home.root) as again:
        assert hearth(again, "backup", "create").status == 0
        assert not list(folder.glob(".making-*"))
        listed = json.loads(hearth(again, "backup", "list", "--json").out)
        assert len(listed["backups"]) == 2
        for one in listed["backups"]:
            assert hearth(again, "backup", "verify", one["id"]).status == 0


def test_a_damaged_backup_is_refused_in_words_and_hearth_goes_on(house: Backend) -> None:
    tell(house, "The build server is called Freesia.")
    made = json.loads(hearth(house, "backup", "create", "--json").out)
    for block in (house.home.data / "backups" / "blocks").glob("??/*"):
        block.write_bytes(block.read_bytes()[:-1])
    for verb in (("verify", made["id"]), ("restore", made["id"], "--yes")):
        said = hearth(house, "backup", *verb)
        assert said.status != 0
        assert "damaged" in said.err
    assert any("Freesia" in text for text in remembered(house, "build server"))


def test_a_token_makes_and_lists_but_names_no_folder_and_restores_nothing(house: Backend) -> None:
    program = house.program(Scope.BACKUPS)
    made = program.post("/v1/backups", json={})
    assert made.status_code == 201
    assert [one["id"] for one in program.get("/v1/backups").json()["backups"]] == [made.json()["id"]]
    assert program.get("/v1/backups", params={"folder": "/tmp"}).status_code == 403
    assert program.post(f"/v1/backups/{made.json()['id']}/restore", json={}).status_code == 403
