"""The backend is killed in the middle of an answer; the answer is read to its end, nothing lost, nothing twice."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

from hearth_shared import discovery
from hearth_shared.client import BackendClient
from hearth_shared.wire import Event, EventType, TaskDetail
from proof.chapter import Chapter
from proof.scene import Aside
from support.backend import running
from support.provider import Behaviour, ModelServer, Received, Reply, model_server
from support.tray_chat import TrayChat

WORDS = tuple(f"word{number} " for number in range(1, 41))
HALF = "".join(WORDS[: len(WORDS) // 2]).strip()
WHOLE = "".join(WORDS).strip()
LIMIT_S = 120.0


def play(folder: Path) -> Chapter:
    """kill -9 after half of the words; a second backend goes on, the reader follows it there."""
    chapter = Chapter("killed", "Killed in mid-answer")
    with Aside() as aside:
        serving = _serving()
        server = aside.run(anext(serving))
        try:
            _play(chapter, folder, server)
        finally:
            with contextlib.suppress(StopAsyncIteration):
                aside.run(anext(serving))
    return chapter


async def _serving() -> AsyncGenerator[ModelServer]:
    async with model_server(_half_then_hang(), _all()) as server:
        yield server


def _half_then_hang() -> Behaviour:
    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for word in WORDS[: len(WORDS) // 2]:
            reply.delta(content=word)
        await reply.sent()
        await reply.hang()

    return behave


def _all() -> Behaviour:
    async def behave(reply: Reply, request: Received) -> None:
        reply.start()
        for word in WORDS:
            reply.delta(content=word)
            await reply.sent()
            await asyncio.sleep(0)
        reply.delta("stop")
        reply.done()

    return behave


def _play(chapter: Chapter, folder: Path, server: ModelServer) -> None:
    provider = f'[providers.desk]\nurl = "{server.url}"\nwhere = "this machine"\n'
    config = f"[server]\nport = 0\n[models]\nlook_around = false\n{provider}"
    reader = _Reader()
    with running(folder, config) as first, TrayChat(first.home) as chat:
        client = BackendClient(first.home, "tray")
        chat.begin("Count for me.")
        chat.wait(lambda: bool(client.request("GET", "/v1/tasks")["tasks"]))
        task = client.request("GET", "/v1/tasks")["tasks"][0]["id"]
        reading = threading.Thread(target=reader.read, args=(client, f"/v1/tasks/{task}/events"))
        reading.start()
        chat.wait(lambda: reader.half.is_set() and HALF in chat.seen().transcript)
        chapter.show("half", "The tray's window at the moment of the kill.", chat.picture())
        chapter.say(f"read so far: {reader.text!r}\nkill -9 of the backend, process {first.process.pid}")
        first.stop(signal.SIGKILL)
        try:
            seen = chat.finish()
            reading.join(LIMIT_S)
            chapter.show("whole", "The same window, which never asked again.", chat.picture())
            another = discovery.read_endpoint(first.home)
            pid = another.pid if another else 0
            chapter.say(f"a door started another, process {pid}\nread in the end: {reader.text!r}")
            chapter.check("the tray shows the whole text once", seen.transcript.count(WHOLE) == 1)
            _judge(chapter, client.request("GET", f"/v1/tasks/{task}"), reader)
        finally:
            discovery.stop_backend(first.home)


def _judge(chapter: Chapter, stored: TaskDetail, reader: "_Reader") -> None:
    seqs = [event["seq"] for event in reader.events]
    answer = stored["answer"]
    chapter.check("the reader, which asked once, has the whole text", reader.text.strip() == WHOLE)
    chapter.check("it is the text that is stored", answer is not None and answer["text"].strip() == WHOLE)
    chapter.check("no event was read twice, and all in order", seqs == sorted(set(seqs)))
    ends = sum(event["type"] == EventType.TASK_FINISHED for event in reader.events)
    chapter.check("the answer ended once", ends == 1)


class _Reader:
    """Follows a task's events over everything that happens, and puts the text together as any door does."""

    def __init__(self) -> None:
        self.half = threading.Event()
        self.events: list[Event] = []
        self._parts: dict[int, str] = {}

    @property
    def text(self) -> str:
        return "".join(text for _, text in sorted(self._parts.items()))

    def read(self, client: BackendClient, path: str) -> None:
        for event in client.events(path):
            self.events.append(event)
            self._take(event)
            if self.text.strip() == HALF:
                self.half.set()

    def _take(self, event: Event) -> None:
        data = event["data"]
        if event["type"] == EventType.TEXT_RESET:
            self._parts.pop(data["part"], None)
        elif event["type"] == EventType.TEXT_DELTA:
            part = self._parts.get(data["part"], "")
            assert len(part) == data["offset"], "a piece of text is missing, or came twice"
            self._parts[data["part"]] = part + data["text"]
