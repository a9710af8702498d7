import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from hearth_lsp.asking import Asker, Progress, Question
from hearth_lsp.backend import Backend as Editors
from hearth_shared import discovery
from hearth_shared.paths import Home
from hearth_shared.wire import Event
from support.backend import Backend, running
from support.editor import Refused, editor, span
from support.provider import Behaviour, Received, Reply, words
from support.scripted_server import Held, Scripted

pytestmark = pytest.mark.editors

URI = "file:///w/a.py"
CLIENT = {"answers": "client"}


async def test_an_answer_comes_in_pieces_with_where_it_was_made(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("Paris ", "it ", "is."))
    async with editor(scripted.home, options=CLIENT) as one:
        answer = await one.command("hearth.ask", {"text": "What is the capital of France?", "token": "t"})
        pieces = [said["params"] for said in one.said if said["method"] == "hearth/answer"]
    assert answer["text"] == "Paris it is."
    assert answer["made_by"] == "this machine · m"
    assert "".join(piece["append"] for piece in pieces) == "Paris it is."
    assert {piece["token"] for piece in pieces} == {"t"}


async def test_a_thread_goes_on_and_is_seen_by_every_door(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("Hello Ada."), words("You are Ada."))
    async with editor(scripted.home, options=CLIENT) as one:
        first = await one.command("hearth.ask", "My name is Ada.")
        second = await one.command("hearth.ask", {"text": "Who am I?", "continue": True})
        listed = await one.command("hearth.threads")
    assert second["thread_id"] == first["thread_id"]
    assert listed["threads"][0]["id"] == first["thread_id"]
    assert listed["threads"][0]["door"] == "editor"
    turns = scripted.door("tray").get(f"/v1/threads/{first['thread_id']}").json()["messages"]
    assert [turn["text"] for turn in turns] == ["My name is Ada.", "Hello Ada.", "Who am I?", "You are Ada."]


async def test_a_thread_that_began_elsewhere_goes_on_here(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("So it is."))
    thread = scripted.door("tray").post("/v1/threads", json={"title": "from the tray"}).json()["id"]
    async with editor(scripted.home, options=CLIENT) as one:
        listed = (await one.command("hearth.threads"))["threads"]
        answer = await one.command("hearth.ask", {"text": "And now?", "thread_id": thread})
    assert ("from the tray", "tray") in [(each["title"], each["door"]) for each in listed]
    assert answer["thread_id"] == thread


async def test_a_file_lies_beside_the_question_and_its_source_opens(bare: Backend) -> None:
    async with editor(bare.home, options=CLIENT, folder="file:///w") as one:
        one.open("file:///w/src/q.py", "import time\n\n\ndef retry():\n    time.sleep(7)  waits for seven seconds\n")
        asked = {"text": "how long does the retry wait?", "uri": "file:///w/src/q.py"}
        answer = await one.command("hearth.ask", asked)
    assert "seven seconds" in answer["text"]
    source = next(each for each in answer["sources"] if each["kind"] == "file")
    assert (source["uri"], source["line"]) == ("file:///w/src/q.py", 1)
    assert answer["made_by"] == "no language model connected"


async def test_lines_are_explained_with_the_file_around_them(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("It adds [1]."))
    async with editor(scripted.home, options=CLIENT, folder="file:///w") as one:
        one.open(URI, "import os\n\ndef add(a, b):\n    return a + b\n")
        answer = await one.command("hearth.explain", {"uri": URI, "range": span(2, 0, 4, 0)})
    asked = scripted_model.model.calls[-1].body["messages"][-1]["content"]
    assert asked.endswith("Explain lines 3 to 4 of a.py.")
    assert "<<<passage 1" in asked
    assert "import os" in asked
    assert (answer["sources"][0]["uri"], answer["sources"][0]["line"]) == (URI, 3)


async def test_an_answer_is_a_document_where_the_editor_opens_one(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("Paris it is."))
    async with editor(scripted.home) as one:
        await one.command("hearth.ask", "The capital of France?")
        shown = await one.was_asked("window/showDocument")
    path = Path(shown["uri"].removeprefix("file://"))
    assert path.parent == scripted.home.root / "answers"
    assert path.stat().st_mode & 0o777 == 0o600
    page = path.read_text("utf-8")
    assert "Paris it is." in page
    assert "this machine" in page


async def test_an_answer_is_a_message_where_it_does_not(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("Paris it is."))
    async with editor(scripted.home, {}) as one:
        await one.command("hearth.ask", "The capital of France?")
        said = await one.told("window/showMessage")
    assert "Paris it is." in said["message"]
    assert str(scripted.home.root / "answers") in said["message"]


@pytest.mark.parametrize("by", ["progress", "request"])
async def test_a_question_that_is_stopped_ends_the_run(by: str, scripted: Backend, scripted_model: Scripted) -> None:
    held = Held()
    scripted_model.does(held)
    async with editor(scripted.home, options=CLIENT) as one:
        request = one.ask("workspace/executeCommand", {"command": "hearth.ask", "arguments": ["Think long."]})
        await held.begun()
        token = (await one.was_asked("window/workDoneProgress/create"))["token"]
        if by == "progress":
            one.notify("window/workDoneProgress/cancel", {"token": token})
        else:
            one.cancel(request)
        with pytest.raises(Refused) as refused:
            await one.answer_to(request)
        assert refused.value.code == -32800
        await one.told("$/progress", lambda said: said["token"] == token and said["value"]["kind"] == "end")
        await held.ended()
    assert ended(scripted) == "cancelled"


class Deaf(Editors):
    """The backend to an editor that hears nothing of its first question."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.begun = asyncio.Event()

    async def say(self, path: str, body: Any, key: str) -> AsyncGenerator[Event]:
        async with aclosing(super().say(path, body, key)) as events:
            async for event in events:
                if not self.begun.is_set():
                    self.begun.set()
                    await asyncio.Event().wait()
                yield event


async def test_a_question_stopped_before_anything_was_heard_of_it_ends_too(
    scripted: Backend, scripted_model: Scripted
) -> None:
    scripted_model.does(Held())
    backend = Deaf(scripted.home)
    asking = asyncio.create_task(Asker(backend).ask(Question("Think long."), Progress()))
    await backend.begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert ended(scripted) == "cancelled"


def ended(backend: Backend) -> str:
    """How the newest task ended, once it has: its events come to their end then."""
    door = backend.door()
    task = door.get("/v1/tasks").json()["tasks"][0]["id"]
    assert door.get(f"/v1/tasks/{task}/events").status_code == 200
    return str(door.get(f"/v1/tasks/{task}").json()["status"])


async def test_nothing_said_is_said_so(bare: Backend) -> None:
    async with editor(bare.home) as one:
        assert (await one.command("hearth.ask"))["problem"]["code"] == "bad_request"
        assert "Write the question" in (await one.told("window/showMessage"))["message"]


def slowly(*texts: str) -> Behaviour:
    """An answer whose last piece comes once somebody asked again."""

    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for text in texts:
            reply.delta(content=text)
            await reply.sent()
        await reply.hang()

    return behave


async def test_a_backend_killed_in_the_middle_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARTH_SERVER__PORT", "0")
    monkeypatch.setenv("HEARTH_MODELS__LOOK_AROUND", "false")
    with Scripted() as server, running(tmp_path / "home", server.config) as backend:
        server.does(slowly("The first half "), words("The first half ", "and the second."))
        try:
            async with editor(backend.home, options=CLIENT) as one, editor(backend.home, options=CLIENT) as other:
                request = one.ask("workspace/executeCommand", {"command": "hearth.ask", "arguments": ["Tell."]})
                await one.told("hearth/answer")
                await asyncio.to_thread(os.kill, backend.process.pid, signal.SIGKILL)
                answer = await one.answer_to(request)
                text = ""
                for piece in (said["params"] for said in one.said if said["method"] == "hearth/answer"):
                    text = piece["text"] if "text" in piece else text + piece["append"]
                assert text == answer["text"] == "The first half and the second."
                assert (await other.command("hearth.recall", "Tell."))["memories"]
                assert await one.leave() == 0
        finally:
            await asyncio.to_thread(discovery.stop_backend, backend.home)


async def test_the_editors_key_may_not_decide(scripted: Backend) -> None:
    answer = scripted.door("editor").post("/v1/approvals/appr_x", json={"decision": "accept"})
    assert answer.status_code == 403
