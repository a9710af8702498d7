"""What backend and index child say to each other: length, kind, JSON, rows. Bytes in, values out; no socket.

The child says Ready once, when its collection is open. Then each Put, Remove, Ask and Count gets one answer: Done,
Found or Failed. A key is `ROW-VERSION`; the version is the first eight bytes of the vector, so a row number that SQLite
gave away again, or a vector that was made anew, cannot be taken for the old one.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">IB")
LARGEST = 64 * 1024 * 1024
_WORDS = struct.Struct(">I")
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ready:
    """The collection is open and holds `count` vectors."""

    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Put:
    """Vectors to keep, a row for each key."""

    keys: Sequence[str]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Remove:
    """Keys to let go of; those that are not there are no mistake."""

    keys: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """The `most` nearest keys of each row, nearest first."""

    rows: Rows
    most: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many vectors there are."""


@dataclass(frozen=True, slots=True)
class Done:
    """It was done; `count` vectors are there now."""

    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """A list of keys for each row that was asked with."""

    keys: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done. After `broken` the collection cannot be trusted any more."""

    detail: str
    broken: bool = True


Frame = Ready | Put | Remove | Ask | Count | Done | Found | Failed
_KINDS: tuple[type[Frame], ...] = (Ready, Put, Remove, Ask, Count, Done, Found, Failed)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame, header included."""
    said, rows = _parts(frame)
    words = json.dumps(said).encode()
    raw = b"" if rows is None else rows.astype("<f4", copy=False).tobytes()
    payload = len(words) + len(raw) + _WORDS.size
    return HEADER.pack(payload, _KINDS.index(type(frame))) + _WORDS.pack(len(words)) + words + raw


def decode_header(header: bytes) -> tuple[int, int]:
    """Payload's length and kind. Raises ValueError for what no side of ours would send."""
    length, kind = HEADER.unpack(header)
    if not _WORDS.size <= length <= LARGEST or kind >= len(_KINDS):
        raise ValueError(f"not a frame: length {length}, kind {kind}")
    return length, kind


def decode(kind: int, payload: bytes) -> Frame:
    """The frame of a payload. Raises ValueError when it is malformed."""
    (length,) = _WORDS.unpack_from(payload)
    end = _WORDS.size + length
    try:
        return _frame(_KINDS[kind], json.loads(payload[_WORDS.size : end]), payload[end:])
    except (TypeError, KeyError) as error:
        raise ValueError(f"a malformed frame: {error}") from error


def _parts(frame: Frame) -> tuple[dict[str, Any], Rows | None]:
    match frame:
        case Ready(count) | Done(count):
            return {"count": count}, None
        case Put(keys, rows):
            return {"keys": list(keys), "width": rows.shape[1]}, rows
        case Remove(keys):
            return {"keys": list(keys)}, None
        case Ask(rows, most):
            return {"most": most, "width": rows.shape[1]}, rows
        case Count():
            return {}, None
        case Found(keys):
            return {"keys": [list(one) for one in keys]}, None
        case Failed(detail, broken):
            return {"detail": detail, "broken": broken}, None


def _frame(kind: type[Frame], said: dict[str, Any], raw: bytes) -> Frame:
    if kind is Put or kind is Ask:
        rows = np.frombuffer(raw, "<f4").reshape(-1, int(said["width"]))
        if kind is Ask:
            return Ask(rows, int(said["most"]))
        keys = [str(key) for key in said["keys"]]
        if len(keys) != len(rows):
            raise ValueError(f"{len(keys)} keys for {len(rows)} rows")
        return Put(keys, rows)
    if kind is Remove:
        return Remove([str(key) for key in said["keys"]])
    if kind is Found:
        return Found([[str(key) for key in one] for one in said["keys"]])
    if kind is Failed:
        return Failed(str(said["detail"]), bool(said["broken"]))
    if kind is Count:
        return Count()
    return Ready(int(said["count"])) if kind is Ready else Done(int(said["count"]))
