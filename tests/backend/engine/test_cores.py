"""How many threads are used."""

import os
from pathlib import Path

import pytest

from hearth_backend.engine.cores import Spare, physical_cores, threads

pytestmark = pytest.mark.unit


def machine(folder: Path, siblings: dict[int, str]) -> Path:
    for cpu, text in siblings.items():
        topology = folder / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{text}\n")
    return folder


@pytest.fixture(autouse=True)
def four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    def affinity(_pid: int) -> set[int]:
        return {0, 1, 2, 3}

    monkeypatch.setattr(os, "sched_getaffinity", affinity)


def test_siblings_count_once(tmp_path: Path) -> None:
    cpus = machine(tmp_path, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})
    assert physical_cores(cpus, tmp_path / "none") == 2


def test_without_a_topology_every_processor_is_a_core(tmp_path: Path) -> None:
    assert physical_cores(tmp_path, tmp_path / "none") == 4


@pytest.mark.parametrize(("quota", "cores"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 4), ("", 4)])
def test_a_container_gets_its_share(tmp_path: Path, quota: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert physical_cores(tmp_path, tmp_path / "cpu.max") == cores


def test_one_core_is_left_free_while_writing_and_all_read() -> None:
    assert [threads(cores) for cores in (1, 2, 8)] == [(1, 1), (1, 2), (7, 8)]
    assert threads(4, wanted=2) == (2, 4)
    assert threads(2, wanted=6) == (6, 6)


class Machine:
    """A clock, the idle time of all cores, and our own use of them."""

    def __init__(self, folder: Path) -> None:
        self.stat = folder / "stat"
        self.now, self.idle, self.used = 0.0, 100.0, 0.0
        self.pass_(0, 0, 0)

    def pass_(self, seconds: float, idle: float, used: float) -> None:
        self.now, self.idle, self.used = self.now + seconds, self.idle + idle, self.used + used
        self.stat.write_text(f"cpu  1 2 3 {int(self.idle * os.sysconf('SC_CLK_TCK'))} 5 6\ncpu0 1 2\n", "ascii")


def test_a_prompt_is_read_with_the_cores_that_others_leave(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    spare = Spare(3, 4, machine.stat, lambda: machine.now, lambda: machine.used)
    wide = Spare(1, 4, machine.stat, lambda: machine.now, lambda: machine.used)
    assert wide.threads() == 4
    machine.pass_(2, idle=0, used=4)  # we have two cores, others the other two
    assert (wide.threads(), spare.threads()) == (2, 3)
    machine.pass_(0.5, idle=2, used=0)
    assert wide.threads() == 2  # it looked a moment ago
    machine.pass_(2, idle=8, used=1)
    assert wide.threads() == 4


def test_where_the_system_does_not_say_all_cores_read(tmp_path: Path) -> None:
    now = iter(range(100))
    spare = Spare(1, 4, tmp_path / "nothing", lambda: float(next(now)))
    assert [spare.threads() for _ in range(3)] == [4, 4, 4]
