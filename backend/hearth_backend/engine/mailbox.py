"""The child's end of the socket: what is to be done next, and the word to stop."""

import os
import socket
import threading
from collections.abc import Callable

from hearth_backend.engine.frames import Ask, Cancel, Decoder, FrameError, Hold, Load, Message, encode
from hearth_backend.engine.lanes import Waiting

_READ = 1 << 16


class Mailbox:
    """Reads in a thread of its own, so that a cancel is heard while llama.cpp works.

    When the socket closes, the backend is gone: the process ends at once, whatever it was doing.
    """

    def __init__(self, connection: socket.socket, leave: Callable[[int], object] = os._exit) -> None:
        self._connection = connection
        self._leave = leave
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        self._waiting: Waiting[Ask] = Waiting()
        self._taken: int | None = None
        self._load: Load | None = None
        self._cancelled: Callable[[int], object] = lambda _id: None
        self._hold: Callable[[bool], object] = lambda _on: None
        self._held = False
        threading.Thread(target=self._read, name="mailbox", daemon=True).start()

    def send(self, *messages: Message) -> None:
        """Send messages at once; waits when the backend reads slower than the model writes."""
        data = b"".join(map(encode, messages))
        with self._sending:
            self._connection.sendall(data)

    def load(self) -> Load:
        """The model to load; waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: self._load is not None)
            assert self._load is not None
            return self._load

    def tell_holds(self, hold: Callable[[bool], object]) -> None:
        """Call `hold` whenever this engine is to hold or to go on, and now if it is to hold."""
        with self._changed:
            self._hold = hold
            if self._held:
                hold(True)

    def next(self) -> Ask:
        """The next task, of the highest lane that waits; waits for it."""
        with self._changed:
            self._taken = None
            self._changed.wait_for(lambda: len(self._waiting) > 0)
            entry = self._waiting.next()
            assert entry is not None
            self._taken = entry[0]
            return entry[1]

    def keep(self, ask: Ask, begin: Callable[[], object], cancelled: Callable[[int], object]) -> bool:
        """Begin the task taken last, unless it was cancelled meanwhile; from then on `cancelled` hears of that."""
        with self._changed:
            if self._taken != ask.id:
                return False
            self._taken, self._cancelled = None, cancelled
            begin()
            return True

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
                case Ask(id, lane, owner=owner):
                    self._waiting.add(id, lane, message, owner)
                case Cancel(id):
                    self._cancel(id)
                case Hold(on):
                    self._held = on
                    self._hold(on)
                case _:
                    raise FrameError("a message for the backend came to the child")
            self._changed.notify_all()

    def _cancel(self, id: int) -> None:
        if id == self._taken:
            self._taken = None
        elif not self._waiting.drop(id):
            self._cancelled(id)
