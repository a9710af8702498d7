"""Stops what llama.cpp computes, from any thread and without Python."""

import ctypes
import sys

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)


class AbortFlag:
    """Stops a running decode from any thread.

    The callback is the C library's strlen over two bytes (0 or 1), so no decode ever waits for Python. The CPU
    backend alone asks it; elsewhere a step ends by itself.
    """

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(2)
        library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        self.callback = ctypes.cast(library.strlen, _CALLBACK)
        self.data = ctypes.cast(self._buffer, ctypes.c_void_p)

    def up(self) -> None:
        self._buffer[0] = b"\1"

    def down(self) -> None:
        self._buffer[0] = b"\0"

    @property
    def is_up(self) -> bool:
        return self._buffer[0] == b"\1"
