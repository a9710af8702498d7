import asyncio
import json
import os
import select
import signal
from pathlib import Path

import pytest

from hearth_shared import discovery
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


def pid(home: Home) -> int:
    found = discovery.read_endpoint(home)
    assert found is not None
    return found.pid


async def killed(process: int) -> None:
    """Kill it, and wait until it is gone: until then it may be asked, and never answers."""
    descriptor = os.pidfd_open(process)
    try:
        os.kill(process, signal.SIGKILL)
        assert (await asyncio.to_thread(select.select, [descriptor], [], [], LIMIT_S))[0]
    finally:
        os.close(descriptor)


async def test_no_backend_is_started_and_one_that_is_killed_comes_back(home: Home) -> None:
    try:
        async with editor(home) as one:
            await one.state("no model")
            first = pid(home)
            await killed(first)
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
            answer = await one.command("hearth.ask", {"text": "what can you do?"})
            assert answer["text"]
            await one.told("hearth/didChangeStatus", lambda said: said["state"] == "no model", since=len(one.said) - 1)
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
