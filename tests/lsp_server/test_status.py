import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hearth_lsp.backend import Backend
from hearth_lsp.status import StatusLine
from hearth_shared import discovery
from hearth_shared.errors import BackendUnavailable
from hearth_shared.paths import Home
from support.editor import LIMIT_S, editor

pytestmark = pytest.mark.editors

URI = "file:///w/a.py"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Home":
    """A home where nothing runs yet."""
    monkeypatch.setenv("HEARTH_MODELS__LOOK_AROUND", "false")
    monkeypatch.setenv("HEARTH_SERVER__PORT", "0")
    return Home(tmp_path / "home")


class ComingBack(Backend):
    """A backend that cannot be started and is there at the third look; something happens in the middle of each."""

    def __init__(self, while_looking: Callable[[], None]) -> None:
        self._while_looking = while_looking
        self._looks = 0
        self.followed = asyncio.Event()

    async def ask(self, method: str, path: str, body: Any = None, *, limit: float = 60.0) -> Any:
        raise BackendUnavailable("It is not there.")

    async def look(self, method: str, path: str, body: Any = None, *, limit: float = 30.0) -> Any:
        self.followed.set()
        await asyncio.Event().wait()

    async def is_running(self) -> bool:
        self._looks += 1
        self._while_looking()
        return self._looks > 2

    def was_killed(self) -> bool:
        return False


def pid(home: Home) -> int:
    found = discovery.read_endpoint(home)
    assert found is not None
    return found.pid


async def test_no_backend_is_started_and_one_that_is_killed_comes_back(home: Home) -> None:
    try:
        async with editor(home) as one:
            await one.state("no model")
            first = pid(home)
            os.kill(first, signal.SIGKILL)
            answer = await one.command("hearth.recall", {"text": "anemone"})
            assert answer["memories"] == []
            assert pid(home) != first
            assert [said for said in one.said if said["method"] == "window/showMessage"] == []
    finally:
        await asyncio.to_thread(discovery.stop_backend, home)


async def test_a_person_who_ended_hearth_is_not_given_it_back_by_typing(home: Home) -> None:
    try:
        async with editor(home) as one:
            await one.state("no model")
            since = len(one.said)
            await asyncio.to_thread(discovery.stop_backend, home)
            one.open(URI, "def add(\n")
            assert await one.inline(URI, 0, 8, asked=False) == []
            assert await one.hover(URI, 0, 5) == ""
            shown = await one.told("hearth/didChangeStatus", lambda said: said["state"] == "offline", since=since)
            assert "hearth up" in shown["message"]
            assert discovery.read_endpoint(home) is None
            since = len(one.said)
            answer = await one.command("hearth.ask", {"text": "what can you do?"})
            assert answer["text"]
            await one.told("hearth/didChangeStatus", lambda said: said["state"] == "no model", since=since)
    finally:
        await asyncio.to_thread(discovery.stop_backend, home)


async def test_a_backend_that_cannot_start_is_said_once_and_may_start_later(home: Home) -> None:
    home.make()
    home.config.write_text("nonsense = [", "utf-8")
    try:
        async with editor(home) as one:
            said = await one.told("window/showMessage")
            assert said["type"] == 1
            assert said["message"].startswith("Hearth cannot start, so it neither completes nor answers here.")
            assert (await one.state("offline"))["kind"] == "Error"
            one.open(URI, "def add(\n")
            assert await one.inline(URI, 0, 8, asked=False) == []
            home.config.unlink()
            assert (await one.command("hearth.ask", {"text": "what can you do?"}))["text"]
            await one.state("no model")
            assert len([said for said in one.said if said["method"] == "window/showMessage"]) == 1
    finally:
        await asyncio.to_thread(discovery.stop_backend, home)


async def test_an_older_backend_makes_room_and_the_editors_on_it_go_on(home: Home) -> None:
    try:
        async with editor(home) as one:
            await one.state("no model")
            older = discovery.read_endpoint(home)
            assert older is not None
            home.endpoint.write_text(json.dumps({**older._asdict(), "version": "0.0.1"}), "utf-8")
            async with editor(home) as other:
                await other.state("no model")
                assert pid(home) != older.pid
            assert (await one.command("hearth.ask", "what can you do?"))["text"]
            assert [said for said in one.said if said["method"] == "window/showMessage"] == []
    finally:
        await asyncio.to_thread(discovery.stop_backend, home)


async def nothing() -> None:
    """Nobody asks for approvals here."""


@pytest.mark.logs("hearth_lsp.status")
async def test_a_question_that_comes_while_it_is_looked_for_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hearth_lsp.status._PATIENCE_S", (0.0,))  # one short look at first
    waiting: list[StatusLine] = []
    backend = ComingBack(lambda: waiting[0].poke())
    waiting.append(StatusLine(backend, lambda shown: None, lambda error: None, nothing))
    following = asyncio.create_task(waiting[0].run())
    try:
        await asyncio.wait_for(backend.followed.wait(), LIMIT_S)
    finally:
        following.cancel()
