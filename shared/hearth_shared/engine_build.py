"""How far the build of llama.cpp is that `make run` started: a file in `run/`. Standard library only.

Set-up writes it; the backend and `hearth status` read it while the engine is not installed.
"""

import json
import os
from typing import NamedTuple

from hearth_shared.paths import Home


class EngineBuild(NamedTuple):
    """`state` is building, ready, failed or no compiler; `pid` is the builder's while it builds."""

    state: str
    detail: str = ""
    fix: str = ""
    percent: int = 0
    pid: int = 0
    started_at: float = 0.0
    log: str = ""

    def words(self) -> str:
        """One sentence for a person."""
        if self.state == "building":
            return f"llama.cpp is being built, {self.percent} % done; {self.log} says what it does."
        return self.detail


def write_engine_build(home: Home, build: EngineBuild) -> None:
    """Whole or not at all: a reader never meets half a file."""
    target = home.run / "engine-build.json"
    draft = target.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(build._asdict()), "utf-8")
    draft.replace(target)


def read_engine_build(home: Home) -> EngineBuild | None:
    """The last that was said; None when nothing was, and a builder that died half-way has failed."""
    try:
        said = json.loads((home.run / "engine-build.json").read_bytes())
        build = EngineBuild(**{name: said[name] for name in EngineBuild._fields})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if build.state == "building" and not _lives(build.pid):
        return build._replace(
            state="failed", detail="The build of llama.cpp was interrupted.", fix="`make run` goes on."
        )
    return build


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return pid > 0
