"""Memory over the wire and the command line: forgotten, brought back, exported, imported, erased from every file."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend, running
from support.command import hearth

pytestmark = pytest.mark.integration
SECRET = ("Quillfeather", "xylograph", "4711-ZANZIBAR")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[Backend]:
    with running(tmp_path_factory.mktemp("keeping") / "home") as backend:
        yield backend


def tell(house: Backend, *texts: str, **more: str) -> list[str]:
    episodes = [
        {"external_id": text[:200], "occurred_at": "2025-05-01T12:00:00Z", "text": text, **more} for text in texts
    ]
    told = house.door().post("/v1/memory/episodes", json={"episodes": episodes})
    assert told.status_code == 201, told.text
    return told.json()["ids"]


def ask(house: Backend, text: str, thread: str) -> str:
    """What is answered in a thread; the stream of its events ends with the run."""
    door = house.door()
    run = door.post(f"/v1/threads/{thread}/messages", json={"text": text}).json()["task_id"]
    with door.stream("GET", f"/v1/tasks/{run}/events") as events:
        for line in events.iter_lines():
            if line.startswith("event: task.f"):
                break
    return door.get(f"/v1/tasks/{run}").json()["answer"]["text"]


def new_thread(house: Backend) -> str:
    return house.door().post("/v1/threads", json={}).json()["id"]


def files_with(home: Path, word: str) -> list[str]:
    """Files under the home that hold a word, however they are written."""
    wanted = word.lower().encode()
    places = [home / name for name in ("data", "logs", "answers", "kv")]
    found = [path for place in places for path in place.rglob("*") if path.is_file() and "backups" not in path.parts]
    return [str(path.relative_to(home)) for path in found if wanted in path.read_bytes().lower()]


def test_what_was_forgotten_for_good_is_in_no_file(tmp_path: Path) -> None:
    with running(tmp_path / "home", "memory.undo_minutes = 0\n") as house:
        home = house.home.root
        first, other = new_thread(house), new_thread(house)
        ask(house, f"Remember that my {SECRET[0]} {SECRET[1]} opens with {SECRET[2]}.", first)
        ask(house, "Remember that the lighthouse keeper is called Ingeborg.", other)
        assert SECRET[2] in ask(house, "What does my xylograph open with?", first)
        assert SECRET[2] in ask(house, "What does my xylograph open with?", other)
        assert "Ingeborg" in ask(house, "What is the lighthouse keeper called?", other)
        found = house.door().post("/v1/memory/search", json={"query": SECRET[1]}).json()["results"]
        ids = [hit["id"] for hit in found if SECRET[1] in hit["text"]]
        would = house.door().post("/v1/memory/forget", json={"ids": ids, "dry_run": True}).json()
        assert (would["count"], would["quotes"]) == (len(ids), 5)
        gone = house.door().post("/v1/memory/forget", json={"ids": ids}).json()
        assert (gone["count"], gone["undo_id"], gone["erased"]) == (len(ids), "", True)
        left = {word: files for word in SECRET if (files := files_with(home, word))}
        assert left == {}
        assert files_with(home, "Ingeborg") == ["data/hearth.db"]
        kept = house.door().get(f"/v1/threads/{other}").json()["messages"]
        assert "Ingeborg" in kept[-1]["text"]


def test_a_whole_thread_is_forgotten_with_its_answers_and_its_name(house: Backend) -> None:
    thread = new_thread(house)
    ask(house, "Remember that the walrus Ambrose lives in Uppsala.", thread)
    ask(house, "Where does the walrus Ambrose live?", thread)
    gone = house.door().post("/v1/memory/forget", json={"thread_id": thread, "for_good": True}).json()
    assert (gone["count"], gone["erased"]) == (2, True)
    assert {word: files_with(house.home.root, word) for word in ("Ambrose", "Uppsala")} == {
        "Ambrose": [],
        "Uppsala": [],
    }
    told = house.door().get(f"/v1/threads/{thread}").json()
    assert (told["title"], told["messages"][0]["text"]) == ("[forgotten]", "[forgotten]")
    assert len(told["messages"]) == 4


def test_the_command_line_forgets_and_brings_back(house: Backend) -> None:
    id = tell(house, "The gate code is 5512, says Gladiola.", source="https://gate.example.org/x", project="gate")[0]
    said = hearth(house, "memory", "forget", "--site", "example.org", "--yes", "--json")
    assert json.loads(said.out)["count"] == 1, said
    assert hearth(house, "memory", "restore").out == "Brought back: 1 memory.\n"
    shown = hearth(house, "memory", "search", "gate code", "--json")
    hit = json.loads(shown.out)["results"][0]
    assert (hit["id"], hit["trusted"], hit["project"]) == (id, False, "gate")
    assert hearth(house, "memory", "restore").status == 1


def test_the_command_line_exports_and_imports(house: Backend, tmp_path: Path) -> None:
    file, page, again = tmp_path / "memory", tmp_path / "memory.md", tmp_path / "again"
    tell(house, f"Told for export: long\u0000 {'word ' * 30_000}\r\nend")
    told = hearth(house, "memory", "export", str(file), "--json")
    assert json.loads(told.out)["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    assert hearth(house, "memory", "export", str(file)).status == 1
    assert hearth(house, "memory", "export", str(page), "--format", "markdown").status == 0
    with running(tmp_path / "home") as other:
        assert "It can be imported" in hearth(other, "memory", "import", str(page), "--dry-run").out
        assert "0 were there already" in hearth(other, "memory", "import", str(page)).out
        assert json.loads(hearth(other, "memory", "import", str(file), "--json").out)["new"] == 0
        again.write_bytes(other.door().get("/v1/memory/export").content)
    same = [[line for line in one.read_bytes().split(b"\n") if b'"made_at"' not in line] for one in (file, again)]
    assert same[0] == same[1]
    file.write_bytes(file.read_bytes().replace(b"Told for", b"Sold for"))
    refused = hearth(house, "memory", "import", str(file))
    assert (refused.status, "Nothing was imported" in refused.err) == (1, True)


def test_a_program_forgets_and_exports_in_its_spaces_alone(house: Backend) -> None:
    tell(house, "Kept at home: the heron Benedikt.", sensitivity="local only")
    program = house.program(Scope.MEMORY_READ, Scope.MEMORY_WRITE)
    assert "Benedikt" not in program.get("/v1/memory/export").text
    assert "Benedikt" in house.door().get("/v1/memory/export").text
    assert program.get("/v1/memory/export?space=work").status_code == 404
    assert program.post("/v1/memory/forget", json={"thread_id": "thread_1"}).status_code == 403
    reader = house.program(Scope.MEMORY_READ)
    for path in ("forget", "restore", "import"):
        assert reader.post(f"/v1/memory/{path}", json={}).status_code == 403


def test_what_must_stay_here_is_given_to_no_program(house: Backend) -> None:
    tell(
        house, "Heard at the well: Cassiopeia.", "Said beside it: Betelgeuse.", session="well", sensitivity="local only"
    )
    tell(house, "Open to all at the well: Andromeda.", session="well")
    program = house.program(Scope.MEMORY_READ)
    search = {"query": "well", "k": 50, "neighbours": 2}
    seen = program.post("/v1/memory/search", json=search).text + program.get("/v1/memory/episodes?limit=500").text
    assert "Andromeda" in seen
    assert "Cassiopeia" not in seen
    assert "Betelgeuse" not in seen
    assert "Cassiopeia" in house.door("editor").post("/v1/memory/search", json=search).text


def test_a_browser_is_not_given_what_the_person_said_no_to(house: Backend) -> None:
    tell(house, "The ferry timetable of Vega.", source="https://ferry.example.net/t")
    browser = house.browser(house.pair())
    search = {"query": "ferry timetable", "k": 50}
    assert "Vega" in browser.post("/v1/memory/search", json=search).text
    no = {"door": "browser", "subject": "example.net", "level": "off"}
    assert house.door().put("/v1/consents", json=no).status_code == 200
    assert "Vega" not in browser.post("/v1/memory/search", json=search).text
    assert "Vega" in house.door().post("/v1/memory/search", json=search).text
    project = {"door": "editor", "subject": "Dam", "level": "off"}
    assert house.door().put("/v1/consents", json=project).status_code == 200
    told = {"external_id": "p", "occurred_at": "2025-05-01T12:00:00Z", "text": "x", "project": "dam", "origin": "event"}
    assert house.door("editor").post("/v1/memory/episodes", json={"episodes": [told]}).json()["code"] == "no_consent"
