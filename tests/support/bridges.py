"""A bridge in miniature, as a child of the real supervisor: it listens and says where, or misbehaves as it is told.

Run as a script: `python bridges.py HOW FOLDER`; each start leaves a file with its pid, first line and environment in
FOLDER. HOW is serve, die (at once), drop (after it listened), mute, babble, elsewhere (not the port it was told)
or deaf (does not end with its input).
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def argv(how: str, folder: Path) -> Sequence[str]:
    """What starts one."""
    return (sys.executable, "-I", __file__, how, str(folder))


def starts(folder: Path) -> list[dict[str, Any]]:
    """What each start left, in order."""
    return [
        json.loads(path.read_text())
        for path in sorted(folder.glob("start-*"), key=lambda path: path.stat().st_mtime_ns)
    ]


def is_alive(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def main(how: str, folder: Path) -> None:
    first = json.loads(sys.stdin.readline())
    note = {"pid": os.getpid(), "first": first, "environ": dict(os.environ)}
    draft = folder / f"draft-{os.getpid()}"
    draft.write_text(json.dumps(note))
    draft.rename(folder / f"start-{os.getpid()}")
    if how == "die":
        sys.exit(3)
    if how == "babble":
        print("hello there", flush=True)
        sys.stdin.read()
        return
    if how == "mute":
        (folder / "here").write_text("here")
        sys.stdin.read()
        return
    listener = socket.create_server(("127.0.0.1", 0 if how == "elsewhere" else first["port"]))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    if how == "drop":
        sys.exit(4)
    sys.stdin.read()
    if how == "deaf":
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
