"""Builds llama.cpp for this machine in the background, and leaves word of how far it is.

The builder's own words go to `logs/engine-build.log` in Hearth's folder. A lock keeps it to one build at a time:
whoever starts a second one gets the first.
"""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hearth_setup.doors import home_of_user
from hearth_setup.environment import Environment
from hearth_setup.failure import SetupFailed
from hearth_shared.engine_build import EngineBuild, write_engine_build
from hearth_shared.paths import Home

_PINNED = re.compile(r"^llama-cpp-python==(\S+)", re.MULTILINE)
_NINJA = re.compile(r"\[(\d+)/(\d+)\]")


def percent(line: str) -> int | None:
    """How far ninja says it is."""
    found = _NINJA.search(line)
    return 100 * int(found[1]) // max(int(found[2]), 1) if found else None


@dataclass(frozen=True, slots=True)
class Engine:
    """The build for the environment of one checkout."""

    root: Path
    home: Home

    @property
    def log(self) -> Path:
        return self.home.logs / "engine-build.log"

    @property
    def is_installed(self) -> bool:
        """At the version of the lock file."""
        pinned = _PINNED.search((self.root / "requirements-local.lock").read_text("utf-8"))
        installed = (self.root / ".venv" / "lib").glob("python3.*/site-packages/llama_cpp_python-*.dist-info")
        return pinned is not None and f"llama_cpp_python-{pinned[1]}.dist-info" in {path.name for path in installed}

    @property
    def command(self) -> tuple[str, ...]:
        """The builder: it installs into the environment that runs it.

        What it built outlives the checkout, so that a fresh clone does not compile again.
        """
        builder = self.root / "packaging" / "build_llama.py"
        user = home_of_user() or self.root
        cache = Path(os.environ.get("XDG_CACHE_HOME") or user / ".cache", "hearth", "llama")
        return str(self.root / ".venv" / "bin" / "python"), str(builder), "--install", "--cache", str(cache)

    def prepare(self) -> None:
        """What llama-cpp-python imports comes first: it is not compiled. Raises SetupFailed."""
        environment = Environment(self.root)
        locked = ("--no-deps", "--require-hashes", "-r", str(self.root / "requirements-local.lock"))
        apart = ("--excludes", str(self.root / "packaging" / "built-apart.txt"))
        environment.uv.run(("pip", "install", "--python", str(environment.python), *locked, *apart), self.root)

    def start(self, gpu: str = "") -> int:
        """Starts `watch` in a session of its own and gives its process id."""
        more = ("--gpu", gpu) if gpu else ()
        with self.log.open("ab") as out:
            watcher = subprocess.Popen(
                (sys.executable, str(self.root / "packaging" / "setup.py"), "build-engine", *more),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=self.root,
            )  # fmt: skip
        return watcher.pid

    def watch(self, gpu: str = "") -> int:
        """Builds with low priority, noting how far it is. Stopping this process stops the compilers too.

        With `gpu`, the backend is asked for that build as well once llama.cpp is here, which every build needs.
        """
        code = 0 if gpu and self.is_installed else self._watch_build()
        return code or (self._ask_for(gpu) if gpu else 0)

    def _ask_for(self, gpu: str) -> int:
        """The backend makes it; `hearth engine list` says how far it is."""
        hearth = (str(self.root / ".venv" / "bin" / "hearth"), "engine", "install", gpu)
        return subprocess.run(hearth, stdin=subprocess.DEVNULL, check=False).returncode

    def _watch_build(self) -> int:
        with (self.home.run / "engine-build.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
            signal.signal(signal.SIGTERM, _stop_group)
            os.nice(10)
            return self._build(EngineBuild("building", pid=os.getpid(), started_at=time.time(), log=str(self.log)))

    def _build(self, progress: EngineBuild) -> int:
        write_engine_build(self.home, progress)
        try:
            self.prepare()
        except SetupFailed as failure:
            write_engine_build(self.home, EngineBuild("failed", failure.detail, failure.fix, log=str(self.log)))
            return 1
        with subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace",
        ) as builder:  # fmt: skip
            assert builder.stdout is not None
            for line in builder.stdout:
                sys.stdout.write(line)
                sys.stdout.flush()
                step = percent(line)
                if step is not None and step != progress.percent:
                    progress = progress._replace(percent=step)
                    write_engine_build(self.home, progress)
        write_engine_build(self.home, _outcome(builder.returncode, self.log))
        return builder.returncode


def _outcome(code: int, log: Path) -> EngineBuild:
    if code == 0:
        return EngineBuild("ready", "llama.cpp is built for this machine.", percent=100, log=str(log))
    return EngineBuild(
        "failed", f"llama.cpp could not be built; {log} says why.", "make run tries again.", log=str(log)
    )


def _stop_group(number: int, _frame: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.killpg(0, number)
