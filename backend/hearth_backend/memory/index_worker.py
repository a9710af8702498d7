"""The index child: `python -I -m hearth_backend.memory.index_worker FOLDER COLLECTION`. The only importer of Chroma.

Its standard input is a socket to the backend; when that closes, it exits. It gives the network up, holds an exclusive
lock on the folder (a second process on one Chroma folder reads a stale index without an error), and keeps keys and
vectors alone: no text, no metadata to filter by, and no embedding function, whose default would fetch a model.
"""

import fcntl
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from hearth_backend.engine.isolation import close_network
from hearth_backend.memory.index_frames import (
    HEADER,
    Ask,
    Count,
    Done,
    Failed,
    Found,
    Frame,
    Put,
    Ready,
    Remove,
    decode,
    decode_header,
    encode,
)

LOCK = "lock"
_LONGEST_WAIT_S, _PAUSE_S = 15.0, 0.05
# As measured: recall of .998 at 100,000 vectors; a search asks for 200 keys, so the search list must hold as many.
_GRAPH = {"hnsw": {"space": "cosine", "ef_construction": 100, "max_neighbors": 16, "ef_search": 200}}


def main(folder: str, name: str) -> int:
    """Open the collection, then answer until the backend hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the backend's terminal is the backend's to handle
    close_network()
    with socket.socket(fileno=0) as connection:
        lock = _lock(Path(folder).parent / LOCK)
        if lock is None:
            return _give_up(connection, Failed("Another program holds the index's folder.", broken=False))
        try:
            collection = _open(Path(folder), name)
            ready = Ready(collection.count())
        except ImportError as error:
            return _give_up(connection, Failed(f"Chroma cannot be loaded: {error}.", broken=False))
        except BaseException as error:  # Chroma's own panics are no Exceptions; the backend must hear of any
            return _give_up(connection, Failed(_words(error)))
        status = _serve(connection, collection, ready)
        os.close(lock)
        return status


def _lock(path: Path) -> int | None:
    """The lock, held while this process lives; None when another goes on holding it.

    The child of a backend that was killed ends as soon as it has done what it was told last: that is waited for.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + _LONGEST_WAIT_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(file)
                return None
        time.sleep(_PAUSE_S)


def _open(folder: Path, name: str) -> Any:
    import chromadb
    from chromadb.config import Settings

    folder.mkdir(mode=0o700, exist_ok=True)
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    return client.get_or_create_collection(name, embedding_function=None, configuration=_GRAPH)  # pyright: ignore[reportArgumentType, reportUnknownMemberType]


def _give_up(connection: socket.socket, frame: Failed) -> int:
    connection.sendall(encode(frame))
    return 1


def _serve(connection: socket.socket, collection: Any, ready: Ready) -> int:
    try:
        connection.sendall(encode(ready))
        while (frame := _receive(connection)) is not None:
            connection.sendall(encode(_answer(collection, frame)))
    except ConnectionError:
        pass
    return 0


def _answer(collection: Any, frame: Frame) -> Frame:
    try:
        return _performed(collection, frame)
    except BaseException as error:  # Chroma's own panics are no Exceptions; the backend must hear of any
        return Failed(_words(error))


def _performed(collection: Any, frame: Frame) -> Frame:
    match frame:
        case Put(keys, rows):
            if keys:
                collection.add(ids=list(keys), embeddings=rows)  # a key names its vector: one that is there is right
            return Done(collection.count())
        case Remove(keys):
            if keys:
                collection.delete(ids=list(keys))
            return Done(collection.count())
        case Ask(rows, most):
            there = min(most, collection.count())
            if not there:
                return Found([[] for _ in rows])
            return Found(collection.query(query_embeddings=rows, n_results=there, include=[])["ids"])
        case Count():
            return Done(collection.count())
        case _:
            return Failed(f"{type(frame).__name__} is no question.", broken=False)


def _receive(connection: socket.socket) -> Frame | None:
    """The next frame; None when the backend hung up."""
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


def _words(error: BaseException) -> str:
    """What Chroma said, on one short line."""
    return f"Chroma failed: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
