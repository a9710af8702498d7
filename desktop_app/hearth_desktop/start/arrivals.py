"""Takes the wishes that other starts of the tray hand over; asleep in between."""

import json
import socket
from contextlib import suppress
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

from hearth_desktop.start import commands
from hearth_shared.errors import BadRequest

_AT_ONCE: Final = 16


class Arrivals(QObject):
    """Says `wished` with a Command for every well-formed line; the sender hears whether it was one."""

    wished = Signal(object)

    def __init__(self, listening: socket.socket, parent: QObject) -> None:
        super().__init__(parent)
        self._listening = listening
        self._callers: list[_Caller] = []
        self._notifier = QSocketNotifier(listening.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._let_in)

    def close(self) -> None:
        """Hear nobody any more; the socket itself belongs to the seat."""
        self._notifier.setEnabled(False)
        for caller in list(self._callers):
            caller.close()

    @Slot()
    def _let_in(self) -> None:
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listening.accept()
                if len(self._callers) >= _AT_ONCE:
                    self._callers[0].close()  # one that says nothing must not keep others out
                self._callers.append(_Caller(connection, self))

    def take(self, command: commands.Command) -> None:
        """From a caller whose line was well-formed."""
        self.wished.emit(command)

    def forget(self, caller: "_Caller") -> None:
        """It has hung up."""
        self._callers.remove(caller)


class _Caller(QObject):
    """One connection: one line in, one line out."""

    def __init__(self, connection: socket.socket, host: Arrivals) -> None:
        super().__init__(host)
        self._host = host
        self._connection = connection
        self._said = b""
        connection.setblocking(False)
        self._notifier = QSocketNotifier(connection.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._listen)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        self._connection.close()
        self._host.forget(self)
        self.deleteLater()

    @Slot()
    def _listen(self) -> None:
        try:
            piece = self._connection.recv(commands.LONGEST)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self._said += piece
        line, end, _ = self._said.partition(b"\n")
        if end or len(self._said) > commands.LONGEST:
            self._answer(line)
        elif not piece:
            self.close()

    def _answer(self, line: bytes) -> None:
        try:
            command = commands.read(line)
            said = {"ok": True}
        except BadRequest as error:
            command, said = None, {"problem": error.problem()}
        with suppress(OSError):
            self._connection.sendall(json.dumps(said).encode() + b"\n")
        self.close()
        if command is not None:
            self._host.take(command)
