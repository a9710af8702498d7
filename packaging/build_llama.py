"""Builds llama-cpp-python once, as a wheel kept by version, flags and processor.

    python packaging/build_llama.py                the path of the wheel, built if it is not there yet
    python packaging/build_llama.py --install      and into the environment of this Python
    python packaging/build_llama.py --backend vulkan --libraries FOLDER      for a GPU, its libraries into a folder

The version and the hash of its source come from requirements-local.lock, those of cmake and ninja from
requirements-build.lock; a C++ compiler is the one thing taken from the system. With CI=true, or --portable, it is
built for every x86-64 processor with AVX2, so that a cached wheel never meets one it cannot run on; else for this one.
With HEARTH_WHEELS_URL a wheel is fetched from there instead: a folder per backend, each a package index. Of such a
wheel, for which no hash is pinned, only the libraries are taken.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import vulkan_headers
from build_tools import ROOT, BuildFailed, Tools, checked, say

NAME = "llama-cpp-python"
NATIVE = ("-DLLAVA_BUILD=OFF",)
PORTABLE = (*NATIVE, "-DGGML_NATIVE=OFF", "-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_F16C=ON")
BACKENDS = {
    "cpu": (),
    "vulkan": ("-DGGML_VULKAN=ON",),
    "cuda": ("-DGGML_CUDA=ON",),
    "metal": ("-DGGML_METAL=ON",),
    "rocm": ("-DGGML_HIP=ON",),
}
NEEDED = {
    "vulkan": ("glslc", "Vulkan's shader compiler. On Debian and Ubuntu: apt-get install glslc libvulkan1"),
    "cuda": ("nvcc", "CUDA's compiler, from NVIDIA's CUDA toolkit"),
    "rocm": ("hipcc", "ROCm's compiler, from AMD's ROCm"),
}
CUDA_FOLDERS = ("cu132", "cu130", "cu125", "cu124", "cu123", "cu122", "cu121", "cu118")
_STEP = re.compile(r"^\s*\[(\d+)/(\d+)\]")
_KEPT_LINES = 30


@dataclass(frozen=True, slots=True)
class Pin:
    """The version to build and the hashes its source may have."""

    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((f"{NAME}=={self.version}", *(f"--hash={digest}" for digest in self.hashes)))


def read_pin(lock: str) -> Pin:
    """The pin in a lock file's text. Raises BuildFailed when it has none."""
    found = re.search(rf"^{NAME}==(\S+) \\\n((?:\s+--hash=\S+(?: \\)?\n?)+)", lock, re.MULTILINE)
    if found is None:
        raise BuildFailed(f"The lock file names no {NAME} with its hash. Run `make lock`.")
    return Pin(found[1], tuple(re.findall(r"--hash=(\S+)", found[2])))


def flags_for(*, portable: bool, machine: str) -> tuple[str, ...]:
    """What cmake is told. AVX2 is a thing of x86-64; elsewhere portable means without this very processor's extras."""
    if not portable:
        return NATIVE
    return PORTABLE if machine in ("x86_64", "AMD64") else PORTABLE[:2]


def folders_for(backend: str, cuda: str) -> tuple[str, ...]:
    """Where an index may keep the wheels of this backend. `cuda` is the newest the driver runs, such as 12.4."""
    if backend == "rocm":
        return "rocm", "rocm72"
    if backend != "cuda":
        return (backend,)
    newest = int(cuda.replace(".", "")) if re.fullmatch(r"\d+\.\d", cuda) else 0
    return "cuda", *(folder for folder in CUDA_FOLDERS if int(folder[2:]) <= newest)


def key_for(pin: Pin, flags: tuple[str, ...], processor: str) -> str:
    """The folder of a wheel: another version, flag or processor is another wheel."""
    digest = hashlib.sha256("\n".join((str(pin), *flags, processor)).encode()).hexdigest()[:16]
    return f"{NAME}-{pin.version}-{digest}"


def processor_of(cpuinfo: str, *, portable: bool) -> str:
    """What a build depends on: the architecture, and for a native one what this processor can do."""
    kinds = sorted(set(re.findall(r"^(?:model name|flags|Features)\s*:\s*(.*)$", cpuinfo, re.MULTILINE)))
    return platform.machine() if portable else "\n".join((platform.machine(), platform.processor(), *kinds))


def progress(line: str, elapsed: float) -> str | None:
    """A line of ninja's in words, with the time left; None for any other."""
    step = _STEP.match(line)
    if step is None:
        return None
    done, total = int(step[1]), max(int(step[2]), 1)
    left = elapsed * (total - done) / max(done, 1)
    return f"[{done}/{total}] compiling" + (f", about {left / 60:.0f} min left" if left >= 90 else "")


class Builder:
    """One build in a cache folder."""

    def __init__(self, cache: Path, pin: Pin, flags: tuple[str, ...], processor: str) -> None:
        self._cache = cache
        self._pin = pin
        self._flags = flags
        self._folder = cache / key_for(pin, flags, processor)
        self._tools = Tools(cache)

    @property
    def wheel(self) -> Path | None:
        """The wheel, once it is built."""
        return next(iter(sorted(self._folder.glob("*.whl"))), None)

    def build(self) -> Path:
        """The wheel, built now. Raises BuildFailed with the compiler's last words."""
        _check_compiler()
        self._tools.fetch()
        say(f"Fetching {NAME} {self._pin.version} (77 MB), then compiling with {' '.join(self._flags)}")
        with tempfile.TemporaryDirectory() as folder:
            pinned = Path(folder, "pinned.txt")
            pinned.write_text(f"{self._pin}\n", "utf-8")
            self._run_build(pinned, Path(folder, "wheels"))
            (built,) = Path(folder, "wheels").glob("*.whl")
            self._folder.mkdir(parents=True, exist_ok=True)
            beside = self._folder / f"{built.name}.part"
            shutil.copyfile(built, beside)
            beside.rename(self._folder / built.name)
        return self._folder / built.name

    def fetch(self, index: str, folders: Sequence[str], into: Path) -> Path:
        """A prebuilt wheel of this version into a folder. Raises BuildFailed when the index has none."""
        self._tools.make()
        only = ("download", "--quiet", "--no-deps", "--no-cache-dir", "--only-binary", ":all:", "-d", str(into))
        for folder in folders:
            say(f"Looking for a wheel in {folder}")
            around = {**os.environ, "PIP_INDEX_URL": f"{index.rstrip('/')}/{folder}", "PIP_EXTRA_INDEX_URL": ""}
            command = [*self._tools.pip, *only, f"{NAME}=={self._pin.version}"]
            subprocess.run(command, env=around, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            if found := sorted(into.glob("*.whl")):
                return found[0]
        raise BuildFailed(
            f"The wheel index has no {NAME} {self._pin.version} for this system in {', '.join(folders)}. "
            "Look at `engine.wheels_url`, or leave it empty: then it is built here."
        )

    def install(self, wheel: Path) -> None:
        """Put the wheel into the environment of this Python, which may have no pip of its own."""
        self._tools.make()
        say(f"Installing {wheel.name}")
        into = ("--python", sys.executable, "install", "--quiet", "--no-deps", "--no-index", "--force-reinstall")
        checked([*self._tools.pip, *into, str(wheel)])

    def _run_build(self, pinned: Path, out: Path) -> None:
        source = ("--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-binary", NAME)
        command = [*self._tools.pip, "wheel", "-v", *source, "--require-hashes", "-r", str(pinned), "-w", str(out)]
        environment, begun, lines = self._environment(), time.monotonic(), list[str]()
        with subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                for said in _announced(process.stdout, begun, lines):
                    say(said)
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            last = "\n".join(lines[-_KEPT_LINES:])
            raise BuildFailed(f"{last}\n{NAME} could not be built; the compiler's last words stand above.")
        say(f"Built in {time.monotonic() - begun:.0f} s")

    def _environment(self) -> dict[str, str]:
        vulkan = "-DGGML_VULKAN=ON" in self._flags
        around = vulkan_headers.environment(os.environ, self._cache) if vulkan else os.environ
        return self._tools.environment(around) | {"CMAKE_ARGS": " ".join(self._flags), "FORCE_CMAKE": "1"}


def _announced(said: Iterator[str], begun: float, lines: list[str]) -> Iterator[str]:
    """The builder's words for a person; all of them go to `lines`."""
    compiling = 0.0
    for line in said:
        lines.append(line.rstrip())
        if _STEP.match(line):
            compiling = compiling or time.monotonic()
            yield progress(line, time.monotonic() - compiling) or ""
        elif "Configuring CMake" in line:
            yield f"Configuring, {time.monotonic() - begun:.0f} s so far"


def unpack(wheel: Path, folder: Path) -> None:
    """The libraries of a wheel into `folder/lib`: whole or not at all."""
    draft = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "lib").mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            parts = name.split("/")
            if parts[:2] == ["llama_cpp", "lib"] and len(parts) == 3 and parts[2]:
                (draft / "lib" / parts[2]).write_bytes(archive.read(name))
    if not any((draft / "lib").glob("*llama*")):
        shutil.rmtree(draft, ignore_errors=True)
        raise BuildFailed(f"{wheel.name} holds no libraries of llama.cpp.")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def check_needed(backend: str) -> None:
    """Raises BuildFailed naming the compiler that a build for this backend lacks here."""
    program, what = NEEDED.get(backend, ("", ""))
    if program and shutil.which(program) is None:
        raise BuildFailed(f"A build for {backend} needs {program}, {what}.")


def cuda_version() -> str:
    """The newest CUDA that this machine's driver runs; empty when there is none."""
    if (program := shutil.which("nvidia-smi")) is None:
        return ""
    said = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
    found = re.search(r"CUDA Version:\s*(\d+\.\d)", said)
    return found[1] if found else ""


def _check_compiler() -> None:
    if not any(map(shutil.which, filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++")))):
        raise BuildFailed("There is no C++ compiler. On Debian and Ubuntu: apt-get install g++")


def main() -> int:
    """Build what is missing, and say where it is."""
    options = _options()
    cpuinfo = Path("/proc/cpuinfo")
    processor = processor_of(cpuinfo.read_text("utf-8") if cpuinfo.exists() else "", portable=options.portable)
    try:
        pin = read_pin((ROOT / "requirements-local.lock").read_text("utf-8"))
        flags = (*flags_for(portable=options.portable, machine=platform.machine()), *BACKENDS[options.backend])
        print(_made(Builder(options.cache, pin, flags, processor), options))
    except BuildFailed as error:
        say(str(error))
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="into the environment of this Python too")
    parser.add_argument("--portable", action="store_true", default=os.environ.get("CI") == "true")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "llama", help="where wheels are kept")
    parser.add_argument("--backend", choices=sorted(BACKENDS), default="cpu", help="what it can use (default: cpu)")
    parser.add_argument("--libraries", type=Path, metavar="FOLDER", help="put only its libraries there")
    return parser.parse_args()


def _made(builder: Builder, options: argparse.Namespace) -> Path:
    """Where it is now: the wheel, or the folder of its libraries."""
    index = os.environ.get("HEARTH_WHEELS_URL", "")
    if options.libraries and index:
        with tempfile.TemporaryDirectory() as folder:
            wheel = builder.fetch(index, folders_for(options.backend, cuda_version()), Path(folder))
            unpack(wheel, options.libraries)
        return options.libraries
    wheel = builder.wheel
    if wheel is None:
        check_needed(options.backend)
        wheel = builder.build()
    if options.libraries:
        unpack(wheel, options.libraries)
        return options.libraries
    if options.install:
        builder.install(wheel)
    return wheel


if __name__ == "__main__":
    sys.exit(main())
