"""Makes those the engine is measured against: llama-server, and what `python -m llama_cpp.server` needs.

    python packaging/build_peers.py          both, where `make bench-engine` looks for them

llama-server comes from the source that Hearth's own llama.cpp is built from, with the same flags, for this processor.
What the other one needs are packages of PyPI at today's newest versions; they go into a folder of their own, so that
Hearth's environment stays as it is.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from build_llama import NAME, Pin, flags_for, key_for, processor_of, read_pin
from build_tools import ROOT, BuildFailed, Tools, checked, say

LACKING = ("pydantic-settings", "python-dotenv", "sse-starlette", "starlette-context")
"""What the binding's server imports and Hearth has not."""
# The binding's own choices for the parts they share; the rest leaves out what a bench does not ask for.
SERVER_FLAGS = (
    "-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON",  # it is used where it was not built
    *("-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON", "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF"),
    *("-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_APP=OFF"),
    *("-DLLAMA_BUILD_UI=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF"),  # it would fetch its pages from elsewhere
)


def server_in(cache: Path, pin: Pin, processor: str) -> Path:
    """Where llama-server of this version lies, once it is built."""
    return cache / f"server-{key_for(pin, SERVER_FLAGS, processor)}" / "llama-server"


def packages_in(cache: Path) -> Path:
    """The folder with what the binding's server needs, once it is filled."""
    return cache / "server-packages"


def build_server(cache: Path, pin: Pin, program: Path, jobs: int) -> None:
    """llama-server and its libraries into the program's folder: whole or not at all. Raises BuildFailed."""
    tools = Tools(cache)
    tools.fetch()
    with tempfile.TemporaryDirectory() as draft:
        source = _source(tools, pin, Path(draft))
        say(f"Compiling llama-server of {NAME} {pin.version}")
        around = tools.environment(os.environ)
        flags = (*SERVER_FLAGS, *flags_for(portable=False, machine=platform.machine()))
        made = Path(draft, "made")
        _said(("cmake", "-S", str(source), "-B", str(made), "-G", "Ninja", *flags), around)
        _said(("cmake", "--build", str(made), "--target", "llama-server", "-j", str(jobs)), around)
        shutil.copytree(made / "bin", beside := program.parent.with_suffix(".part"), dirs_exist_ok=True, symlinks=True)
        beside.rename(program.parent)


def _source(tools: Tools, pin: Pin, folder: Path) -> Path:
    """llama.cpp's folder in the binding's source, fetched at its hash and unpacked."""
    say(f"Fetching {NAME} {pin.version} (77 MB)")
    pinned = folder / "pinned.txt"
    pinned.write_text(f"{pin}\n", "utf-8")
    only = ("download", "--quiet", "--no-deps", "--no-build-isolation", "--no-binary", NAME, "--require-hashes")
    checked([*tools.pip, *only, "-r", str(pinned), "-d", str(folder)])
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (source,) = folder.glob("*/vendor/llama.cpp")
    return source


def _said(command: Sequence[str], around: dict[str, str]) -> None:
    """Its words go to standard error. Raises BuildFailed."""
    if subprocess.run(command, env=around, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode:
        raise BuildFailed("llama-server could not be built; the compiler's last words stand above.")


def fetch_packages(cache: Path, folder: Path) -> None:
    """What the binding's server lacks in Hearth's environment. Raises BuildFailed."""
    tools = Tools(cache)
    tools.make()
    say(f"Fetching {', '.join(LACKING)}")
    with tempfile.TemporaryDirectory(dir=cache) as draft:
        checked([*tools.pip, "install", "--quiet", "--no-deps", "--target", draft, *LACKING])
        shutil.copytree(draft, folder, dirs_exist_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where they are kept")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at once")
    options = parser.parse_args()
    try:
        pin, processor = here()
        program, packages = server_in(options.cache, pin, processor), packages_in(options.cache)
        if not program.exists():
            build_server(options.cache, pin, program, options.jobs)
        if not packages.is_dir():
            fetch_packages(options.cache, packages)
        print(program, packages, sep="\n")
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


def here() -> tuple[Pin, str]:
    """What is built, and the processor it is built for."""
    cpuinfo = Path("/proc/cpuinfo")
    pin = read_pin((ROOT / "requirements-local.lock").read_text("utf-8"))
    return pin, processor_of(cpuinfo.read_text("utf-8") if cpuinfo.exists() else "", portable=False)


def default_cache() -> Path:
    """Beside the wheels that set-up keeps."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "hearth", "llama")


if __name__ == "__main__":
    sys.exit(main())
