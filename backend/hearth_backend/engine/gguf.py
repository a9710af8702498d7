"""The header of a GGUF file, read with suspicion and without llama.cpp.

llama.cpp aborts its process on some broken files; what can be seen in the header is refused here, with a reason.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import math
import os
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hearth_backend.engine.shape import NO_SHAPE, Shape, shape_of
from hearth_shared.errors import BadModelFile

_DOWNLOAD_AGAIN = "Download the file again, or choose another: `hearth models list`."
_LET_ME_READ = "Make it readable for this user, or choose another: `hearth models list`."
_MOST_KEYS = 100_000
_MOST_TENSORS = 1_000_000
_LONGEST_KEY = 65_535
_LONGEST_KEPT = 1_048_576
_MOST_KEPT = 1024
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_UNPACKERS = {kind: struct.Struct("<" + code) for kind, code in _SCALARS.items()}
_U32, _U64 = _UNPACKERS[4], _UNPACKERS[10]
# ggml type -> (elements, bytes) of one block; ggml/src/ggml-common.h
_BLOCKS = {
    **{0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292)},
    **{16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82)},
    **{23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2)},
    **{34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36), 41: (128, 18)},
}
_POOLED = (1, 2, 3)  # mean, cls, last; 4 is a ranker's
_WRITES_NO_TEXT = ("clip", "t5encoder", "gemma-embedding", "eurobert")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model file says of itself. `writes` is false for embedders, projectors and adapters; `embeds` is true for
    what says how the vectors of its tokens become one."""

    name: str
    architecture: str
    context: int
    layers: int
    vocabulary: int
    size: int
    chat_template: bool
    fim: bool
    writes: bool
    test_model: bool
    shards: int = 1
    embeds: bool = False
    shape: Shape = NO_SHAPE


def read_facts(path: Path) -> Facts:
    """The facts of a GGUF file. Raises BadModelFile saying what is wrong with it."""
    try:
        with path.open("rb", buffering=1 << 20) as file:
            size = os.fstat(file.fileno()).st_size
            header = _Header(file, size)
            keys = header.read()
    except _Broken as broken:
        raise BadModelFile(f"{path.name} cannot be used: {broken}.", _DOWNLOAD_AGAIN) from None
    except OSError as error:
        fix = _LET_ME_READ if isinstance(error, PermissionError) else _DOWNLOAD_AGAIN
        raise BadModelFile(f"{path.name} cannot be read: {error.strerror or error}.", fix) from error
    return _facts(path, size, keys, header.tensors)


class _Broken(Exception):
    """What is wrong, as the middle of a sentence."""


class _Header:
    """One pass over the header; every count and offset is held against the size of the file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self.tensors: dict[str, int] = {}
        self._readers: dict[int, Callable[[], Any]] = {
            kind: (lambda unpacker=unpacker: self._scalar(unpacker)) for kind, unpacker in _UNPACKERS.items()
        }
        self._readers[_STRING] = self._text
        self._readers[_ARRAY] = self._array

    def read(self) -> dict[str, Any]:
        """The keys of the file, after every tensor was found inside the file; `tensors` holds the bytes of each.

        An array is its numbers when they are few, else its length.
        """
        if self._bytes(4) != b"GGUF":
            raise _Broken("it is not a GGUF file")
        version = self._scalar(_U32)
        if version not in (2, 3):
            raise _Broken(f"its GGUF version is {version}, and only 2 and 3 can be read")
        tensors = self._count(_MOST_TENSORS, 24, "tensors")
        keys: dict[str, Any] = {}
        for _ in range(self._count(_MOST_KEYS, 13, "keys")):
            key = self._key()
            if key in keys:
                raise _Broken(f"its key {key!r} stands there twice")
            keys[key] = self._value(self._scalar(_U32))
        self._check_tensors(tensors, keys.get("general.alignment", 32))
        return keys

    def _bytes(self, count: int) -> bytes:
        self._need(count)
        self._at += count
        data = self._file.read(count)
        if len(data) != count:
            raise _Broken("it ends in the middle of its header")
        return data

    def _need(self, count: int) -> None:
        if count > self._size - self._at:
            raise _Broken("it ends in the middle of its header, or a length in it is wrong")

    def _skip(self, count: int) -> None:
        self._need(count)
        self._at += count
        self._file.seek(count, os.SEEK_CUR)

    def _scalar(self, unpacker: struct.Struct) -> Any:
        return unpacker.unpack(self._bytes(unpacker.size))[0]

    def _count(self, most: int, least_bytes: int, what: str) -> int:
        count: int = self._scalar(_U64)
        if count > most:
            raise _Broken(f"it claims to hold {count} {what}")
        self._need(count * least_bytes)
        return count

    def _key(self) -> str:
        length: int = self._scalar(_U64)
        if not 0 < length <= _LONGEST_KEY:
            raise _Broken(f"it holds a key of {length} bytes")
        return self._bytes(length).decode("utf-8", "replace")

    def _text(self) -> str:
        length: int = self._scalar(_U64)
        if length > _LONGEST_KEPT:
            self._skip(length)
            return ""
        return self._bytes(length).decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        reader = self._readers.get(kind)
        if reader is None:
            raise _Broken(f"it holds a value of the unknown kind {kind}")
        return reader()

    def _array(self) -> int | tuple[Any, ...]:
        kind, length = self._scalar(_U32), self._scalar(_U64)
        unpacker = _UNPACKERS.get(kind)
        if unpacker is not None and length <= _MOST_KEPT:
            return tuple(self._scalar(unpacker) for _ in range(length))
        if unpacker is not None:
            self._skip(length * unpacker.size)
        elif kind == _STRING:
            self._need(length * _U64.size)
            for _ in range(length):
                self._skip(self._scalar(_U64))
        else:
            raise _Broken(f"it holds an array of the unknown kind {kind}")
        return length

    def _check_tensors(self, count: int, alignment: Any) -> None:
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise _Broken(f"its alignment is {alignment!r}")
        end = 0
        for _ in range(count):
            name = self._key()
            if name in self.tensors:
                raise _Broken(f"its tensor {name!r} stands there twice")
            length, offset = self._tensor(name)
            self.tensors[name] = length
            if offset % alignment:
                raise _Broken(f"its tensor {name!r} begins at the odd place {offset}")
            end = max(end, offset + length)
        begin = -(-self._at // alignment) * alignment
        if count and begin + end > self._size:
            missing = begin + end - self._size
            raise _Broken(f"it is truncated: {missing:,} of its {begin + end:,} bytes are missing")

    def _tensor(self, name: str) -> tuple[int, int]:
        """Bytes and offset of the next tensor."""
        dimensions: int = self._scalar(_U32)
        if dimensions > 4:
            raise _Broken(f"its tensor {name!r} has {dimensions} dimensions")
        shape: list[int] = [self._scalar(_U64) for _ in range(dimensions)]
        kind: int = self._scalar(_U32)
        elements, size = _BLOCKS.get(kind, (0, 0))
        if not elements:
            raise _Broken(f"its tensor {name!r} is of the unknown type {kind}")
        if any(length > 1 << 40 for length in shape) or (shape and shape[0] % elements):
            raise _Broken(f"its tensor {name!r} has the impossible shape {shape}")
        return math.prod(shape) // elements * size, self._scalar(_U64)


def _facts(path: Path, size: int, keys: Mapping[str, Any], tensors: Mapping[str, int]) -> Facts:
    architecture = keys.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise BadModelFile(f"{path.name} cannot be used: it names no architecture.", _DOWNLOAD_AGAIN)

    def number(key: str) -> int:
        value = keys.get(f"{architecture}.{key}", 0)
        return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0

    name = keys.get("general.name")
    fim = [f"tokenizer.ggml.{part}_token_id" for part in ("fim_pre", "fim_suf", "fim_mid")]
    older = [f"tokenizer.ggml.{part}_token_id" for part in ("prefix", "suffix", "middle")]
    return Facts(
        name=name if isinstance(name, str) and name else path.stem,
        architecture=architecture,
        context=number("context_length"),
        layers=number("block_count"),
        vocabulary=_vocabulary(keys),
        size=size,
        chat_template="tokenizer.chat_template" in keys,
        fim=any(all(key in keys for key in form) for form in (fim, older)),
        writes=_writes(architecture, keys),
        test_model=keys.get("hearth.test_model") is True,
        shards=_shards(keys),
        embeds=_pooling(architecture, keys) in _POOLED,
        shape=shape_of(architecture, keys, tensors, _vocabulary(keys)),
    )


def _vocabulary(keys: Mapping[str, Any]) -> int:
    length = keys.get("tokenizer.ggml.tokens", 0)  # texts: of them only the number is known
    return length if isinstance(length, int) else 0


def _shards(keys: Mapping[str, Any]) -> int:
    count = keys.get("split.count", 1)
    return count if isinstance(count, int) and count > 1 else 1


def _pooling(architecture: str, keys: Mapping[str, Any]) -> int:
    """How the vectors of tokens become one, as llama.cpp numbers it; 0 when a model says nothing of it."""
    value = keys.get(f"{architecture}.pooling_type", 0)
    return value if isinstance(value, int) else 0


def _writes(architecture: str, keys: Mapping[str, Any]) -> bool:
    if keys.get("general.type", "model") != "model" or "bert" in architecture:
        return False
    if _pooling(architecture, keys):
        return False
    return architecture not in _WRITES_NO_TEXT and keys.get(f"{architecture}.attention.causal") is not False
