"""The first command on a bare Debian 12, for real: no pip, no venv, no compiler. Ten minutes, in `make soak`."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bare_machine import BareMachine, bare_machine

pytestmark = [
    pytest.mark.setup,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a system in a folder"),
]

CHECKOUT = Path(__file__).parents[2]
Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareMachine]:
    """The machine, with a user who may install nothing."""
    with bare_machine(tmp_path_factory.mktemp("bare"), CHECKOUT) as made:
        made.run("useradd", "--home-dir", "/srv/ann", "--create-home", "ann")
        made.run("cp", "-r", "/srv/hearth", "/srv/ann/hearth")
        made.run("chown", "-R", "ann:ann", "/srv/ann")
        yield made


@pytest.fixture(scope="module")
def refused(machine: BareMachine) -> Done:
    """`make run` by that user, before anything was installed."""
    return machine.run("make", "run", user="ann", cwd="/srv/ann/hearth")


@pytest.fixture(scope="module")
def first(machine: BareMachine, refused: Done) -> Done:
    """`make run` by root."""
    assert refused.returncode
    return machine.run("make", "run")


def test_who_may_not_install_is_told_one_line(refused: Done) -> None:
    assert refused.returncode != 0
    line = next(line for line in refused.stdout.splitlines() if line.startswith("su -c"))
    assert "python3-venv" in line
    assert "g++" in line
    assert "Traceback" not in refused.stdout


def test_one_command_starts_hearth(first: Done) -> None:
    assert first.returncode == 0, first.stdout
    assert "Missing: python3-venv" in first.stdout
    assert "Hearth is running." in first.stdout
    assert "hearth ask" in first.stdout


def test_hearth_is_on_the_path_and_answers_without_a_model(machine: BareMachine, first: Done) -> None:
    asked = machine.run("hearth", "ask", "what can you do?")
    assert asked.returncode == 0, asked.stdout
    assert "no language model connected" in asked.stdout


def test_the_second_time_nothing_is_made_again(machine: BareMachine, first: Done) -> None:
    again = machine.run("make", "run")
    assert again.returncode == 0, again.stdout
    assert "Environment" not in again.stdout
    assert "Hearth is running." in again.stdout


def test_the_engine_is_built_in_the_background(machine: BareMachine, first: Done) -> None:
    words = machine.root / "srv" / "root" / ".local" / "share" / "hearth" / "run" / "engine-build.json"
    deadline = time.monotonic() + 1800
    while (state := json.loads(words.read_text())["state"]) == "building" and time.monotonic() < deadline:
        time.sleep(2)
    assert state == "ready"
    imported = machine.run(".venv/bin/python", "-I", "-c", "import llama_cpp; print(llama_cpp.__version__)")
    assert imported.returncode == 0, imported.stdout


def test_who_has_the_packages_needs_no_rights(machine: BareMachine, first: Done) -> None:
    done = machine.run("make", "run", "ENGINE=no", user="ann", cwd="/srv/ann/hearth")
    assert done.returncode == 0, done.stdout
    assert "Hearth is running." in done.stdout


def test_stopped_half_way_it_leaves_nobody_behind_and_goes_on(machine: BareMachine, first: Done) -> None:
    machine.run("cp", "-r", "/srv/ann/hearth", "/srv/ann/second")
    machine.run("rm", "-rf", "/srv/ann/second/.venv", "/srv/ann/second/.cache")
    home = "HEARTH_HOME=/srv/ann/second-home"
    command = machine.command(("env", home, "make", "run", "ENGINE=no"), cwd="/srv/ann/second")
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as stopped:  # fmt: skip
        assert stopped.stdout is not None
        while "Environment" not in (line := stopped.stdout.readline()):
            assert line, "it ended before the environment was made"
        os.killpg(stopped.pid, signal.SIGINT)
        assert "Traceback" not in stopped.stdout.read()
        assert stopped.wait(60) != 0
    programs = machine.run("sh", "-c", "ls -l /proc/[0-9]*/exe 2>/dev/null")
    assert "second/.cache/uv" not in programs.stdout
    again = machine.run("env", home, "make", "run", "ENGINE=no", cwd="/srv/ann/second")
    assert again.returncode == 0, again.stdout
