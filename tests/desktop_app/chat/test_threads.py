"""The list of threads: of all doors, sought by words, told as it changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from hearth_desktop.chat.threads import BUSY, ThreadModel
from hearth_desktop.net.events import EventStream
from support.backend import Backend, running
from support.chat_window import kept
from support.qt_waits import wait

pytestmark = pytest.mark.desktop


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Backend]:
    with running(tmp_path / "home") as backend:
        yield backend


@pytest.fixture
def model(house: Backend) -> Iterator[ThreadModel]:
    with kept(house.home) as api:
        made = ThreadModel(api, api, clock=lambda: 2e9)
        events = EventStream(api)
        events.happened.connect(made.hear)
        events.connected.connect(made.reconnect)
        events.start()
        yield made


def titles(model: ThreadModel) -> list[str]:
    return [model.title_at(row) for row in range(model.rowCount())]


def begin(house: Backend, door: str, title: str) -> str:
    return str(house.door(door).post("/v1/threads", json={"title": title}).json()["id"])


def test_threads_of_all_doors_last_used_first(qtbot: QtBot, house: Backend, model: ThreadModel) -> None:
    for door, title in (("cli", "The lease"), ("editor", "A bug"), ("tray", "")):
        begin(house, door, title)
    model.load()
    wait(qtbot, lambda: titles(model) == ["New thread", "A bug", "The lease"])
    assert "editor" in model.subtitle_at(1)
    assert "terminal" in model.subtitle_at(2)


def test_words_of_the_title_are_sought(qtbot: QtBot, house: Backend, model: ThreadModel) -> None:
    for title in ("The lease of the flat", "A bug in the parser", "The parser's lease"):
        begin(house, "cli", title)
    model.load()
    wait(qtbot, lambda: model.rowCount() == 3)
    model.find("LEASE")
    assert titles(model) == ["The parser's lease", "The lease of the flat"]
    model.find("lease pars")
    assert titles(model) == ["The parser's lease"]
    model.find("nothing like it")
    assert not titles(model)
    model.find("")
    assert model.rowCount() == 3


def test_what_happens_moves_a_thread_up(qtbot: QtBot, house: Backend, model: ThreadModel) -> None:
    old = begin(house, "cli", "Old")
    begin(house, "cli", "New")
    model.load()
    wait(qtbot, lambda: titles(model) == ["New", "Old"])
    house.door("editor").post(f"/v1/threads/{old}/messages", json={"text": "What can you do?"})
    wait(qtbot, lambda: titles(model) == ["Old", "New"])
    wait(qtbot, lambda: model.index(0).data(BUSY) is False)


def test_a_long_list_is_read_page_by_page_and_sought_to_its_end(
    qtbot: QtBot, house: Backend, model: ThreadModel
) -> None:
    begin(house, "cli", "The very first")
    for number in range(205):
        begin(house, "cli", f"Thread {number}")
    model.load()
    wait(qtbot, lambda: model.rowCount() == 200)
    assert model.canFetchMore(model.index(-1))
    model.find("very first")
    wait(qtbot, lambda: titles(model) == ["The very first"])
    model.find("")
    assert model.rowCount() == 206
