"""Prebuilt libraries: fetched from a wheel index on loopback by the real pip, and only they are taken."""

import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from build_llama import BuildFailed, folders_for, read_pin, unpack

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
VERSION = read_pin((ROOT / "requirements-local.lock").read_text("utf-8")).version
LIBRARY = "llama_cpp/lib/libllama.so"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        pass


def wheel(folder: Path, **files: bytes) -> Path:
    """A wheel that holds these files, their names with __ for /."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"llama_cpp_python-{VERSION}-py3-none-any.whl"
    info = f"llama_cpp_python-{VERSION}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: {VERSION}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
        archive.writestr("llama_cpp/__init__.py", "raise SystemExit('nothing of this is ever run')")
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An index that has a wheel for vulkan alone."""
    wheel(tmp_path / "index" / "vulkan" / "llama-cpp-python", **{LIBRARY: b"compiled"})
    handler = partial(Quiet, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def fetched(index: str, folder: Path, backend: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "packaging/build_llama.py", "--backend", backend, "--libraries", str(folder / backend)]
    env = {**os.environ, "HEARTH_WHEELS_URL": index, "PIP_CONFIG_FILE": os.devnull}
    command += ["--cache", str(folder / "cache")]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False)


def test_libraries_come_from_the_index_or_it_says_where_it_looked(index: str, tmp_path: Path) -> None:
    done = fetched(index, tmp_path, "vulkan")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "vulkan" / "lib").iterdir()] == ["libllama.so"]
    done = fetched(index, tmp_path, "metal")
    assert (done.returncode, (tmp_path / "metal").exists()) == (1, False)
    assert "engine.wheels_url" in done.stderr


def test_a_wheel_without_libraries_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="holds no libraries"):
        unpack(wheel(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_that_lead_out_of_the_folder_are_left_behind(tmp_path: Path) -> None:
    unpack(wheel(tmp_path, **{LIBRARY: b"x", "llama_cpp/lib/../../evil": b"x", "/evil": b"x"}), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".whl") == [
        "libllama.so"
    ]


@pytest.mark.parametrize(
    ("backend", "cuda", "folders"),
    [
        ("vulkan", "", ("vulkan",)),
        ("cuda", "12.4", ("cuda", "cu124", "cu123", "cu122", "cu121", "cu118")),
        ("cuda", "", ("cuda",)),
        ("cuda", "nonsense", ("cuda",)),
        ("rocm", "", ("rocm", "rocm72")),
    ],
)
def test_where_an_index_may_keep_them(backend: str, cuda: str, folders: tuple[str, ...]) -> None:
    assert folders_for(backend, cuda) == folders
