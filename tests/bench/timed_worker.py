"""An engine child that keeps count of its time in llama_decode: `timed_worker.py FILE`, for `make bench-engine`.

FILE always holds two doubles, as of the last decode: seconds of processor time in llama_decode, and of the process.
"""

import os
import struct
import sys
import time
from typing import Any

from hearth_backend.engine import native, worker

_PAIR = struct.Struct("dd")


def main() -> None:
    """The engine child, with a clock around the one call that computes."""
    out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
    decode, spent = native.C.llama_decode, 0.0

    def timed(pointer: Any, batch: Any) -> int:
        nonlocal spent
        begun = time.thread_time()
        code: int = decode(pointer, batch)
        spent += time.thread_time() - begun
        os.pwrite(out, _PAIR.pack(spent, time.process_time()), 0)
        return code

    native.C.llama_decode = timed
    worker.main()


def read(path: str) -> tuple[float, float]:
    """What the file holds."""
    with open(path, "rb") as file:
        return _PAIR.unpack(file.read(_PAIR.size))


if __name__ == "__main__":
    main()
    os._exit(0)
