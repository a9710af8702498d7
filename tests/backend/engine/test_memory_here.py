from pathlib import Path

import pytest

from hearth_backend.engine.memory_here import memory_here

pytestmark = pytest.mark.unit
GIB = 1 << 30


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\nHugePages_Total: 0\n")
    return path


def test_what_only_caches_files_is_free(meminfo: Path, tmp_path: Path) -> None:
    assert memory_here(meminfo, tmp_path / "none") == (8 * GIB, 16 * GIB)


def test_a_container_has_what_it_was_given(meminfo: Path, tmp_path: Path) -> None:
    for name, text in (("memory.max", str(4 * GIB)), ("memory.current", str(3 * GIB))):
        (tmp_path / name).write_text(f"{text}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\nactive_file {GIB // 2}\ninactive_file {GIB // 2}\n")
    assert memory_here(meminfo, tmp_path) == (2 * GIB, 4 * GIB)
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_here(meminfo, tmp_path) == (8 * GIB, 16 * GIB)


def test_without_the_system_s_word_it_is_the_physical_memory(tmp_path: Path) -> None:
    free, total = memory_here(tmp_path / "none", tmp_path / "none")
    assert free == total > 0
