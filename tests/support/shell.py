"""`hearth` as a person or a program runs it: in this process, or on a terminal of its own."""

import codecs
import io
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from hearth_backend.cli.desk import Up
from hearth_backend.cli.main import main
from hearth_backend.cli.terminal import Terminal
from hearth_shared.wire import Answer

ROOT = Path(__file__).parents[2]
SCRIPT = "import sys; from hearth_backend.cli.main import main; sys.exit(main(sys.argv[1:], up=lambda how: 0))"


class Outcome(NamedTuple):
    """What came of a command."""

    status: int
    out: str
    err: str


def hearth(*arguments: str, stdin: str = "", asked_up: list[Up] | None = None) -> Outcome:
    """Run one command without a terminal; `asked_up` gets what `up` was called with."""
    out, err = io.StringIO(), io.StringIO()

    def up(how: Up) -> int:
        if asked_up is not None:
            asked_up.append(how)
        return 0

    try:
        status = main(arguments, up=up, terminal=Terminal(io.StringIO(stdin), out, err, {}))
    except SystemExit as ended:
        status = int(ended.code or 0)
    return Outcome(status, out.getvalue(), err.getvalue())


class Typist:
    """`hearth` on a real terminal, with a person who reads and types."""

    def __init__(self, arguments: Sequence[str], *, environ: Mapping[str, str] | None = None) -> None:
        self._screen, side = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT / 'backend'}"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *arguments],
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
            env={**env, **(environ or {})},
            preexec_fn=_take_terminal,
        )
        os.close(side)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.seen = ""
        self._read = 0

    def __enter__(self) -> "Typist":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._screen)

    def read_until(self, text: str) -> str:
        """What was shown since the last time, up to `text`."""
        while (at := self.seen.find(text, self._read)) < 0:
            if not self._more():
                raise AssertionError(f"{text!r} was not shown, but: {self.seen[self._read :]!r}")
        begun, self._read = self._read, at + len(text)
        return self.seen[begun : self._read]

    def type(self, text: str) -> None:
        """Keys, as they are pressed."""
        os.write(self._screen, text.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def leave(self) -> int:
        """The exit status, once it has ended."""
        while self._more():
            pass
        return self._process.wait(60)

    def interrupt_until_it_ends(self) -> int:
        """Ctrl-C, again when nothing happens: Python loses one that comes just as a prompt begins to wait."""
        self.interrupt()
        while self._process.poll() is None:
            if not select.select([self._screen], [], [], 0.2)[0]:
                self.interrupt()
            elif not self._more():
                break
        return self._process.wait(60)

    def _more(self) -> bool:
        if not select.select([self._screen], [], [], 60)[0]:
            raise AssertionError(f"nothing more was shown after: {self.seen!r}")
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # how Linux says that the other side has closed
            return False
        self.seen += self._decoder.decode(piece)
        return bool(piece)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def answer(text: str, **rest: Any) -> Answer:
    """An answer as the backend sends it."""
    plain: dict[str, Any] = {
        "text": text,
        "sources": [],
        "made_by": {"where": "this machine", "model": "tiny", "provider": "engine", "test_model": True},
        "tokens": {"input": 12, "output": 3, "cost": 0.0},
        "complete": True,
        "notes": [],
    }
    whole: Any = {**plain, **rest}
    return whole


def source(n: int, title: str, quote: str) -> dict[str, Any]:
    """A source of an answer."""
    return {
        "n": n,
        "kind": "file",
        "id": f"s{n}",
        "title": title,
        "quote": quote,
        "speaker": "",
        "occurred_at": None,
        "score": 1.0,
        "location": "",
    }
