"""The embedder's child process: `python -I -m hearth_backend.engine.embedder_worker FOLDER VARIANT THREADS`.

Its standard input is a socket to the backend; when that closes, it exits. It opens no connection of its own, and
where the system lets it, it gives the possibility up before it reads a file.
"""

import ctypes
import select
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hearth_backend.engine.embedder_frames import (
    HEADER,
    Ask,
    Failed,
    Frame,
    Ready,
    Vectors,
    decode,
    decode_header,
    encode,
)
from hearth_backend.engine.isolation import close_network
from hearth_backend.engine.minilm_weights import place
from hearth_shared.errors import HearthError

if TYPE_CHECKING:
    from hearth_backend.engine.minilm_model import MiniLM

_QUIET_S = 1.0


def main(folder: str, variant: str, threads: str) -> int:
    """Load, then answer until the backend hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the backend's terminal is the backend's to handle
    close_network()  # before there is another thread, which would keep it: libraries start some when they are loaded
    with socket.socket(fileno=0) as connection:
        try:
            from hearth_backend.engine.minilm_model import MiniLM

            model = MiniLM(place(Path(folder), variant), int(threads))
        except HearthError as error:
            return _give_up(connection, Failed(error.detail, error.fix))
        except Exception as error:  # the top of a process: whatever it was, the backend must hear it
            return _give_up(connection, Failed(f"The embedding model could not be loaded: {error}.", "`hearth doctor`"))
        return _serve(connection, model)


def _give_up(connection: socket.socket, frame: Failed) -> int:
    connection.sendall(encode(frame))
    return 1


def _serve(connection: socket.socket, model: "MiniLM") -> int:
    try:
        connection.sendall(encode(Ready()))
        while (frame := _receive(connection, model)) is not None:
            if isinstance(frame, Ask):
                connection.sendall(encode(Vectors(model.embed(frame.texts))))
    except ConnectionError:
        pass
    return 0


def _receive(connection: socket.socket, model: "MiniLM") -> Frame | None:
    """The next frame; None when the backend hung up. A quiet second after large batches is used to shrink."""
    if model.grown and not select.select([connection], [], [], _QUIET_S)[0]:
        model.shrink()
        _trim()
    header = _exactly(connection, HEADER.size)
    if header is None:
        return None
    length, kind = decode_header(header)
    payload = _exactly(connection, length)
    return None if payload is None else decode(kind, payload)


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    received = bytearray()
    while len(received) < count:
        piece = connection.recv(min(count - len(received), 1 << 20))
        if not piece:
            return None
        received += piece
    return bytes(received)


def _trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc keeps freed memory otherwise
    if trim is not None:
        trim(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
