"""A desktop of our own: a private X display and D-Bus session, with a window manager and a tray host where wanted.

with desktop(folder) as session:
    process = session.start([...])
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.tools import need

LIMIT_S = 60.0
_PAUSE_S = 0.05
_SCREEN = "1280x800x24"
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy>
</busconfig>"""


@dataclass
class Desktop:
    """What programs need to be shown on it."""

    display: str
    environ: dict[str, str]
    _running: list["subprocess.Popen[bytes]"] = field(default_factory=list["subprocess.Popen[bytes]"])

    def start(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        """A program on this desktop; it is ended with it."""
        process = subprocess.Popen(
            command,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._running.append(process)
        return process

    def run(self, *command: str) -> str:
        """A program that ends by itself; what it said."""
        done = subprocess.run(
            command, env=self.environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False
        )
        return done.stdout.decode()

    def windows(self, name: str) -> list[str]:
        """The ids of visible windows with this in their title."""
        return self.run("xdotool", "search", "--onlyvisible", "--name", name).split()

    def key(self, *keys: str) -> None:
        """As typed on the keyboard."""
        self.run("xdotool", "key", "--clearmodifiers", *keys)

    def close(self) -> None:
        """End what runs on it, newest first."""
        for process in reversed(self._running):
            if process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LIMIT_S)
            if process.poll() is None:
                process.kill()
                process.wait(LIMIT_S)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()


@contextlib.contextmanager
def desktop(folder: Path, *, tray: bool = True, bus: bool = True) -> Generator[Desktop]:
    """Skips the test where a program that it is made of is missing."""
    server = need("Xvfb")
    programs = [need("openbox"), *([need("trayer")] if tray else [])]
    need("xdotool")
    with contextlib.ExitStack() as stack:
        number = _display(stack, server)
        session = Desktop(f":{number}", _environ(folder, number))
        stack.callback(session.close)
        if bus:
            session.environ["DBUS_SESSION_BUS_ADDRESS"] = _bus(stack, folder)
        for program in programs:
            session.start([program, *_OPTIONS.get(Path(program).name, ())])
        wait_until(lambda: "window id" in session.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"))
        if tray:
            wait_until(lambda: bool(session.windows("panel")))
        yield session


def wait_until(holds: object, limit_s: float = LIMIT_S) -> None:
    """Look again until it holds; for what happens in other programs, which cannot tell."""
    assert callable(holds)
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(_PAUSE_S)


def _display(stack: contextlib.ExitStack, server: str) -> int:
    """The server chooses a free number and says it."""
    reader, writer = os.pipe()
    command = [server, "-displayfd", str(writer), "-screen", "0", _SCREEN, "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=(writer,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    stack.callback(_end, process)
    with open(reader, "rb") as said:
        return int(said.readline())


def _bus(stack: contextlib.ExitStack, folder: Path) -> str:
    path = folder / "bus"
    config = folder / "bus.conf"
    config.write_text(_BUS.format(socket=path), "utf-8")
    command = [need("dbus-daemon"), f"--config-file={config}", "--nofork", "--nopidfile", "--print-address=1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    stack.callback(_end, process)
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(LIMIT_S)
    if process.stdout is not None:
        process.stdout.close()


def _environ(folder: Path, number: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    run = folder / "runtime"
    run.mkdir(mode=0o700)
    return {
        **kept,
        "DISPLAY": f":{number}",
        "XDG_RUNTIME_DIR": str(run),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/no-bus",
        "QT_QPA_PLATFORM": "xcb",
        "HOME": str(folder),
    }


_OPTIONS = {
    "trayer": ("--edge", "bottom", "--align", "right", "--width", "20", "--height", "32", "--SetDockType", "true"),
}
