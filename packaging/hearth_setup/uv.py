"""The pinned uv, fetched once into the checkout's cache with its hash checked."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hearth_setup.download import Download
from hearth_setup.failure import SetupFailed

_KEPT_LINES = 15


@dataclass(frozen=True, slots=True)
class Uv:
    """uv in `folder`, at the version and hash of `lock`."""

    folder: Path
    lock: Path

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "uv"

    @property
    def is_here(self) -> bool:
        """The copy of the lock file is laid beside it last, so an interrupted fetch is no uv."""
        stamp = self.folder / self.lock.name
        return stamp.is_file() and stamp.read_bytes() == self.lock.read_bytes()

    def fetch(self) -> None:
        """Fetches it with this Python's pip. Raises SetupFailed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        pip = (str(self.folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        locked = ("--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(self.lock))
        for command in ((sys.executable, "-m", "venv", str(self.folder)), (*pip, *locked)):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.returncode:
                raise _failed("uv could not be fetched", (done.stdout + done.stderr).splitlines())
        shutil.copyfile(self.lock, self.folder / self.lock.name)

    def run(self, arguments: Sequence[str], cwd: Path, tell: Callable[[str], None] = lambda text: None) -> Download:
        """Runs uv and tells how far its downloads are. Raises SetupFailed with uv's own last words."""
        started, lines, download = time.monotonic(), list[str](), Download()
        command = (str(self.program), *arguments)
        with subprocess.Popen(
            command, cwd=cwd, env=_environ(os.environ), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
        ) as process:  # fmt: skip
            assert process.stderr is not None
            try:
                for line in process.stderr:
                    lines.append(line.rstrip())
                    if download.read(line):
                        tell(download.progress(time.monotonic() - started))
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise _failed("uv could not install what Hearth needs", lines)
        return download


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """No other Python is fetched, no environment of the caller's is taken for ours, and the machine's own list of
    certificates is trusted, as pip does: a company's network may need it."""
    kept = {name: text for name, text in environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    return kept | {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "UV_SYSTEM_CERTS": "true"}


def _failed(what: str, lines: Sequence[str]) -> SetupFailed:
    said = "\n  ".join(line for line in lines[-_KEPT_LINES:] if line.strip())
    return SetupFailed(
        f"{what}:\n  {said}", "Look at the network and the disk, then run it again: it keeps what has arrived."
    )
