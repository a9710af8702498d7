"""How a browser and its native host speak: a length of four bytes in the machine's own order, then JSON. Pure I/O on
two streams of bytes."""

import json
import struct
from typing import Any, BinaryIO, Final, cast

LARGEST_IN: Final = 1 << 20
"""Browsers allow more; nothing that this host understands is longer."""
LARGEST_OUT: Final = 1 << 20
"""What browsers take from a host."""
_LENGTH: Final = struct.Struct("=I")


class BrokenFrame(ValueError):
    """What came is no message, so nothing after it can be read either."""


def read(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message; None when the browser has closed the stream. Raises BrokenFrame."""
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size or (length := _LENGTH.unpack(head)[0]) > LARGEST_IN:
        raise BrokenFrame("no length of a message")
    body = stream.read(length)
    try:
        said = json.loads(body) if len(body) == length else None
    except (ValueError, RecursionError) as error:
        raise BrokenFrame("no JSON") from error
    if not isinstance(said, dict):
        raise BrokenFrame("no message")
    return cast("dict[str, Any]", said)


def framed(message: object) -> bytes:
    """A message as the browser takes it."""
    body = json.dumps(message, default=str).encode()
    if len(body) > LARGEST_OUT:
        raise ValueError("a browser does not take so much at once")
    return _LENGTH.pack(len(body)) + body
