"""Content-Length frames, as language servers speak them: bytes in, bodies out; no pipe."""

import re

LONGEST = 64 * 1024 * 1024
_LONGEST_HEAD = 8192
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class BrokenFrame(Exception):
    """What came cannot be cut into messages any more: where the next one begins is not known."""


class Frames:
    """Keeps what is not yet a whole message."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._wanted: int | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are whole now. Raises BrokenFrame."""
        self._rest += data
        bodies: list[bytes] = []
        while (body := self._next()) is not None:
            bodies.append(body)
        return bodies

    def _next(self) -> bytes | None:
        if self._wanted is None:
            self._wanted = self._head()
        if self._wanted is None or len(self._rest) < self._wanted:
            return None
        body = bytes(self._rest[: self._wanted])
        del self._rest[: self._wanted]
        self._wanted = None
        return body

    def _head(self) -> int | None:
        end = self._rest.find(b"\r\n\r\n", 0, _LONGEST_HEAD + 4)
        if end < 0:
            if len(self._rest) > _LONGEST_HEAD:
                raise BrokenFrame("a message without an end to its head")
            return None
        found = _LENGTH.search(bytes(self._rest[:end]))
        if found is None:
            raise BrokenFrame("a message without Content-Length")
        if int(found[1]) > self._longest:
            raise BrokenFrame(f"a message of more than {self._longest >> 20} MiB")
        del self._rest[: end + 4]
        return int(found[1])


def framed(body: bytes) -> bytes:
    """A body as it goes over the pipe."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
