"""The child's end of the socket: what is to be done next, and the word to stop."""

import os
import socket
import threading
from collections.abc import Callable

from hearth_backend.engine.frames import Ask, Cancel, Decoder, FrameError, Load, Message, Task, encode
from hearth_backend.engine.scheduler import Waiting

_READ = 1 << 16


class Mailbox:
    """Reads in a thread of its own, so that a cancel is heard while llama.cpp works.

    When the socket closes, the backend is gone: the process ends at once, whatever it was doing.
    """

    def __init__(self, connection: socket.socket, leave: Callable[[int], object] = os._exit) -> None:
        self._connection = connection
        self._leave = leave
        self._changed = threading.Condition()
        self._waiting: Waiting[Task] = Waiting()
        self._running: int | None = None
        self._load: Load | None = None
        self._stop: Callable[[], None] = lambda: None
        threading.Thread(target=self._read, name="mailbox", daemon=True).start()

    def send(self, message: Message) -> None:
        """Send a message; waits when the backend reads slower than the model writes."""
        self._connection.sendall(encode(message))

    def load(self) -> Load:
        """The model to load; waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._load is not None)
            assert self._load is not None
            return self._load

    def next(self, stop: Callable[[], None], go: Callable[[], None]) -> tuple[int, Task]:
        """The next task; waits for it. From `go` on, a cancel of it calls `stop`."""
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: len(self._waiting) > 0)
            entry = self._waiting.next()
            assert entry is not None
            go()
            self._running, self._stop = entry[0], stop
            return entry

    def _read(self) -> None:
        decoder = Decoder()
        try:
            while data := self._connection.recv(_READ):
                for message in decoder.feed(data):
                    self._take(message)
        except (OSError, FrameError):
            pass
        self._leave(0)

    def _take(self, message: Message) -> None:
        with self._changed:
            match message:
                case Load():
                    self._load = message
                case Ask(id, lane, task):
                    self._waiting.add(id, lane, task)
                case Cancel(id):
                    if id == self._running:
                        self._stop()
                    else:
                        self._waiting.drop(id)
                case _:
                    raise FrameError("a message for the backend came to the child")
            self._changed.notify_all()
