"""Clients of other projects, as they are: Python packages and npm packages in environments of their own, made once for
each state of their lock files and kept in .cache/clients."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import build_vscode

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "clients"
CACHE = ROOT / ".cache" / "clients"
LIMIT_S = 600
PACKAGES = "client-packages"


def python() -> Path:
    """The interpreter of the environment with the Python clients; skips where they cannot be had."""
    lock = CLIENTS / "python" / "requirements.lock"
    made = _kept("python", (lock,), lambda draft: _environment(draft, lock))
    return made / "bin" / "python"


def node_modules() -> Path:
    """The folder with the npm clients; skips where they cannot be had."""
    names = ("package.json", "package-lock.json", ".npmrc")
    files = tuple(CLIENTS / "node" / name for name in names)
    return _kept("node", files, lambda draft: build_vscode.install(draft, files)) / "node_modules"


def run(program: Path, script: str, *arguments: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What a client's script found, which it prints as one JSON object at its end."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    done = subprocess.run(
        (str(program), str(CLIENTS / script), *arguments),
        env={**kept, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _kept(name: str, files: "tuple[Path, ...]", make: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"\0".join([sys.version.encode(), *(file.read_bytes() for file in files)]))
    folder = CACHE / f"{name}-{digest.hexdigest()[:16]}"
    if not folder.exists():
        draft = CACHE / f"draft-{uuid.uuid4().hex}"
        draft.mkdir(parents=True)
        try:
            make(draft)
            draft.rename(folder)
        except (OSError, subprocess.SubprocessError, build_vscode.CannotBuild) as error:
            if not folder.exists():  # else somebody was faster
                pytest.skip(f"{error}: needs {PACKAGES}")
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder


def _environment(draft: Path, lock: Path) -> None:
    for command in (
        ("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(draft)),
        ("pip", "install", "--quiet", "--require-hashes", "--python", str(draft / "bin" / "python"), "-r", str(lock)),
    ):
        subprocess.run(
            (sys.executable, str(ROOT / "packaging" / "setup.py"), "uv", *command),
            check=True,
            capture_output=True,
            timeout=LIMIT_S,
        )
