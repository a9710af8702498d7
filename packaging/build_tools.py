"""What building llama.cpp needs besides a compiler: pip, cmake and ninja at their hashes, in a folder of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "packaging" / "requirements-build.lock"


class BuildFailed(Exception):
    """What happened, and what to do."""


def say(text: str) -> None:
    """Progress goes to standard error: standard output is what was made."""
    print(text, file=sys.stderr, flush=True)


def checked(command: Sequence[str]) -> None:
    """Raises BuildFailed with what the command said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildFailed(f"{(done.stdout + done.stderr).strip()}\nLook at the network and the disk, then try again.")


class Tools:
    """The environment `tools` of a cache folder."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._folder = cache / "tools"

    @property
    def pip(self) -> tuple[str, ...]:
        """How pip is called there."""
        return str(self._python), "-m", "pip", "--disable-pip-version-check", "--no-input"

    @property
    def _python(self) -> Path:
        return self._folder / "bin" / "python"

    def make(self) -> None:
        """pip in an environment of its own: the one Hearth runs in may have none."""
        if not self._python.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            checked([sys.executable, "-m", "venv", "--clear", str(self._folder)])

    def fetch(self) -> None:
        """cmake, ninja and what drives them; nothing to do when they are there."""
        stamp = self._folder / LOCK.name
        if stamp.is_file() and stamp.read_bytes() == LOCK.read_bytes() and self._python.exists():
            return
        say("Fetching cmake and ninja (35 MB)")
        shutil.rmtree(self._folder, ignore_errors=True)
        self.make()
        checked([*self.pip, "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK)])
        shutil.copyfile(LOCK, stamp)

    def environment(self, around: Mapping[str, str]) -> dict[str, str]:
        """For what is run there: its programs come first."""
        path = os.pathsep.join(filter(None, (str(self._folder / "bin"), around.get("PATH", ""))))
        return {**around, "PATH": path}
