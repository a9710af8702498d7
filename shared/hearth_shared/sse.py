"""Server-sent events: bytes in, values out; no socket.

`EventStream` cuts bytes into events as the HTML standard says (section 9.2, "Server-sent events"). `Following` keeps
to Hearth's own event stream over broken connections: it says what to ask next, and drops what was seen before.
"""

import json
from typing import Any, NamedTuple

from hearth_shared.errors import NotFound, TooLarge, from_problem
from hearth_shared.wire import Event, EventType

_LONGEST_EVENT = 16 * 1024 * 1024
_FINAL = frozenset({EventType.TASK_FINISHED, EventType.TASK_FAILED, EventType.TASK_CANCELLED})
_PAUSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


class ServerEvent(NamedTuple):
    """One event: its type ("message" unless named), the last id sent, and the data lines joined."""

    type: str
    id: str
    data: str


class EventStream:
    """Keeps what is not yet a whole event."""

    def __init__(self) -> None:
        self._rest = b""
        self._type = ""
        self._id = ""
        self._data: list[str] = []
        self._size = 0
        self._begun = False

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that are whole now. Raises TooLarge when a sender never ends one."""
        events: list[ServerEvent] = []
        for line in self._lines(data):
            if line:
                self._field(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        return events

    def _lines(self, data: bytes) -> list[str]:
        text = self._rest + data
        if not self._begun and len(text) >= 3:
            text, self._begun = text.removeprefix(b"\xef\xbb\xbf"), True
        # A carriage return at the very end may be the first half of a line end still under way.
        held = b"\r" if text.endswith(b"\r") else b""
        lines = text.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        self._size += len(data)
        if self._size > _LONGEST_EVENT:
            raise TooLarge(f"A server sent an event of more than {_LONGEST_EVENT >> 20} MiB.")
        return [line.decode("utf-8", "replace") for line in lines]

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._type = value
            case "id" if "\0" not in value:
                self._id = value
            case _:
                pass  # comments (heartbeats) and fields of the future

    def _dispatch(self) -> ServerEvent | None:
        event = ServerEvent(self._type or "message", self._id, "\n".join(self._data)) if self._data else None
        self._type, self._size = "", len(self._rest)
        self._data.clear()
        return event


class Ask(NamedTuple):
    """The request that opens the stream, or opens it again."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


class Following:
    """One stream of events, followed until its run has ended (`ends`) or for good.

    A stream opened by a POST goes on as the events of the run that the POST made. Before its first event came, the same
    POST is sent again: its Idempotency-Key makes it the same run.
    """

    def __init__(
        self, path: str, body: Any = None, *, key: str = "", after_seq: int | None = None, ends: bool = True
    ) -> None:
        self._path = path
        self._body = body
        self._key = key
        self._ends = ends
        self._seq = after_seq
        self._run_id: str | None = None
        self._stream = EventStream()
        self._tries = 0
        self.done = False

    def ask(self) -> Ask:
        """What to send now; forgets the half event of the connection before."""
        self._stream = EventStream()
        headers = {"Accept": "text/event-stream"}
        if self._seq is not None:
            headers["Last-Event-ID"] = str(self._seq)
        if self._body is None:
            return Ask("GET", self._path, None, headers)
        if self._run_id is not None:
            return Ask("GET", f"/v1/tasks/{self._run_id}/events", None, headers)
        if self._key:
            headers["Idempotency-Key"] = self._key
        return Ask("POST", self._path, self._body, headers)

    def feed(self, data: bytes) -> list[Event]:
        """The new events, each once; `done` once the run has ended.

        Raises the HearthError for which the backend broke off.
        """
        events = [event for sent in self._stream.feed(data) if (event := self._take(sent)) is not None]
        if events:
            self._tries = 0
        return events

    def pause(self) -> float | None:
        """Seconds to wait before asking again, or None: it was tried long enough without a single event."""
        if self._tries >= len(_PAUSES):
            return None
        self._tries += 1
        return _PAUSES[self._tries - 1]

    def _take(self, sent: ServerEvent) -> Event | None:
        if self.done:
            return None
        event: Event = json.loads(sent.data)
        if sent.type == "error":
            raise from_problem(json.loads(sent.data))
        if sent.type == "gap":
            return self._pass(event["seq"])
        if self._seq is not None and event["seq"] <= self._seq:
            return None
        self._seq = event["seq"]
        self._run_id = self._run_id or event["run_id"]
        self.done = self._ends and event["type"] in _FINAL and event["run_id"] == self._run_id
        return event

    def _pass(self, seq: int) -> None:
        """Events go on from `seq`: what lies before is no longer kept, or a restored backup is behind what was seen."""
        if self._ends:
            raise NotFound("The events of this task are no longer kept.", "Its answer is: ask for the task itself.")
        self._seq = seq
