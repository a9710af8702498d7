"""What backend and embedder child say to each other: length, kind, payload. Bytes in, values out; no socket.

Ask (texts as JSON) → Vectors (rows of float32) | Failed (a sentence). The child says Ready once, when it has loaded.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">IB")
LARGEST = 64 * 1024 * 1024
_SHAPE = struct.Struct(">II")


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded and verified."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Texts to embed."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """One row for each text."""

    rows: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be done; `fix` says what helps."""

    detail: str
    fix: str = ""


Frame = Ready | Ask | Vectors | Failed
_READY, _ASK, _VECTORS, _FAILED = range(4)


def encode(frame: Frame) -> bytes:
    """The bytes of a frame, header included."""
    match frame:
        case Ready():
            return HEADER.pack(0, _READY)
        case Ask(texts):
            return _whole(_ASK, json.dumps(list(texts)).encode())
        case Vectors(rows):
            return _whole(_VECTORS, _SHAPE.pack(*rows.shape) + rows.astype("<f4", copy=False).tobytes())
        case Failed(detail, fix):
            return _whole(_FAILED, json.dumps([detail, fix]).encode())


def decode_header(header: bytes) -> tuple[int, int]:
    """Payload's length and kind. Raises ValueError for what no side of ours would send."""
    length, kind = HEADER.unpack(header)
    if length > LARGEST or kind > _FAILED:
        raise ValueError(f"not a frame: length {length}, kind {kind}")
    return length, kind


def decode(kind: int, payload: bytes) -> Frame:
    """The frame of a payload. Raises ValueError when it is malformed."""
    if kind == _READY:
        return Ready()
    if kind == _ASK:
        return Ask([str(text) for text in json.loads(payload)])
    if kind == _FAILED:
        detail, fix = json.loads(payload)
        return Failed(str(detail), str(fix))
    count, width = _SHAPE.unpack_from(payload)
    return Vectors(np.frombuffer(payload, "<f4", offset=_SHAPE.size).reshape(count, width))


def _whole(kind: int, payload: bytes) -> bytes:
    return HEADER.pack(len(payload), kind) + payload
