"""How llama.cpp is built: the pin, the flags, the key of the cache, what is said meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from build_llama import NATIVE, PORTABLE, BuildFailed, Pin, flags_for, key_for, processor_of, progress, read_pin

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]
PIN = Pin("1.2.3", ("sha256:ab",))


def test_the_pin_is_the_one_of_the_lock_file_with_its_hash() -> None:
    pin = read_pin((ROOT / "requirements-local.lock").read_text("utf-8"))
    assert f'"llama-cpp-python=={pin.version}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(digest.startswith("sha256:") and len(digest) == 71 for digest in pin.hashes)


def test_a_pin_may_have_several_hashes() -> None:
    pinned = "llama-cpp-python==1.2.3 \\\n    --hash=sha256:ab \\\n    --hash=sha256:cd\n"
    lock = f"a==1 \\\n    --hash=sha256:00\n{pinned}z==1\n"
    assert read_pin(lock) == Pin("1.2.3", ("sha256:ab", "sha256:cd"))
    assert str(read_pin(lock)) == "llama-cpp-python==1.2.3 --hash=sha256:ab --hash=sha256:cd"


@pytest.mark.parametrize("lock", ["", "llama-cpp-python==1.2.3\n", "other==1 \\\n    --hash=sha256:ab\n"])
def test_nothing_is_built_without_a_hash(lock: str) -> None:
    with pytest.raises(BuildFailed, match="make lock"):
        read_pin(lock)


def test_a_portable_build_asks_for_no_more_than_avx2() -> None:
    assert flags_for(portable=False, machine="x86_64") == NATIVE
    assert flags_for(portable=True, machine="x86_64") == PORTABLE
    assert flags_for(portable=True, machine="aarch64") == ("-DLLAVA_BUILD=OFF", "-DGGML_NATIVE=OFF")


def test_another_version_flag_or_processor_is_another_wheel() -> None:
    keys = {
        key_for(PIN, NATIVE, "one"),
        key_for(PIN, PORTABLE, "one"),
        key_for(PIN, NATIVE, "other"),
        key_for(Pin("1.2.4", PIN.hashes), NATIVE, "one"),
        key_for(Pin("1.2.3", ("sha256:cd",)), NATIVE, "one"),
    }
    assert len(keys) == 5


def test_a_native_build_depends_on_what_the_processor_can_do_and_a_portable_one_does_not() -> None:
    old, new = "model name\t: A\nflags\t\t: avx2\n", "model name\t: A\nflags\t\t: avx2 avx512f\n"
    assert processor_of(old, portable=False) != processor_of(new, portable=False)
    assert processor_of(old, portable=True) == processor_of(new, portable=True)
    assert processor_of(old * 2, portable=False) == processor_of(old, portable=False)


def test_progress_is_told_with_the_time_left() -> None:
    assert progress("  [10/100] Building CXX object\n", 20) == "[10/100] compiling, about 3 min left"
    assert progress("[99/100] Linking", 99) == "[99/100] compiling"
    assert progress("Configuring", 1) is None


def test_a_machine_without_a_compiler_is_told_what_to_install(tmp_path: Path) -> None:
    argv = [sys.executable, str(ROOT / "packaging" / "build_llama.py"), "--cache", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == "There is no C++ compiler. On Debian and Ubuntu: apt-get install g++\n"


def test_a_wheel_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    argv = [sys.executable, str(ROOT / "packaging" / "build_llama.py"), "--portable", "--cache", str(tmp_path)]
    script = f"""
import platform, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "packaging")!r})
from build_llama import *
pin = read_pin(Path({str(ROOT / "requirements-local.lock")!r}).read_text())
flags = flags_for(portable=True, machine=platform.machine())
print(key_for(pin, flags, processor_of("", portable=True)))
"""
    key = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / key).mkdir()
    wheel = tmp_path / key / "llama.whl"
    wheel.touch()
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"PATH": str(tmp_path)})
    assert done.stdout.strip() == str(wheel)
