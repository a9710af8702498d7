"""When an environment is made anew, added to, or left alone."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from hearth_setup.download import Download
from hearth_setup.environment import Environment, Kind, Work, packages_in, work
from hearth_setup.failure import SetupFailed
from hearth_setup.uv import Uv

pytestmark = pytest.mark.unit

RUN, DESKTOP, DEV = (kind.value for kind in Kind)
MADE = {"python": "a", "project": "b", RUN: "c"}


def test_an_environment_as_wanted_is_left_alone() -> None:
    assert work(MADE, MADE) is Work.NOTHING


def test_development_tools_do_no_harm_to_who_only_runs() -> None:
    assert work(MADE | {DEV: "d"}, MADE) is Work.NOTHING


@pytest.mark.parametrize("lock", [DESKTOP, DEV])
def test_tray_and_development_tools_come_on_top(lock: str) -> None:
    assert work(MADE, MADE | {lock: "d"}) is Work.PACKAGES


@pytest.mark.parametrize("kind", Kind)
def test_a_stamp_names_what_everybody_has_and_what_it_is_for(kind: Kind) -> None:
    assert kind.locks[0] == RUN
    assert kind.locks[-1] == kind.value


@pytest.mark.parametrize("changed", ["python", RUN])
def test_what_is_older_than_its_lock_or_its_python_starts_over(changed: str) -> None:
    assert work(MADE | {changed: "older"}, MADE) is Work.EVERYTHING


@pytest.mark.parametrize("lock", [DESKTOP, DEV])
def test_an_older_tray_or_older_development_tools_start_over(lock: str) -> None:
    assert work(MADE | {lock: "older"}, MADE | {lock: "d"}) is Work.EVERYTHING


def test_a_changed_project_file_is_installed_again_by_itself() -> None:
    assert work(MADE | {"project": "older"}, MADE) is Work.PROJECT


def test_without_a_stamp_everything_is_made() -> None:
    assert work({}, MADE) is Work.EVERYTHING


@pytest.fixture
def checkout(tmp_path: Path) -> Environment:
    """A checkout whose environment is finished, as far as its stamp says."""
    for name in (RUN, DESKTOP, DEV, "pyproject.toml"):
        (tmp_path / name).write_text("numpy==2.4.6 \\\n    --hash=sha256:00\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    environment = Environment(tmp_path)
    stamp(environment)
    return environment


def stamp(environment: Environment) -> None:
    wanted = environment._wanted(Kind.RUN)  # pyright: ignore[reportPrivateUsage]
    (environment.folder / "hearth-stamp.json").write_text(json.dumps(dict(wanted)))


def test_a_finished_environment_needs_nothing(checkout: Environment) -> None:
    assert checkout.work(Kind.RUN) is Work.NOTHING
    assert checkout.make(Kind.RUN, lambda text: None) == 0


def test_an_interrupted_one_is_made_anew(checkout: Environment) -> None:
    (checkout.folder / "hearth-stamp.json").write_text('{"python": ')
    assert checkout.work(Kind.RUN) is Work.EVERYTHING


def test_one_whose_python_was_removed_is_made_anew(checkout: Environment) -> None:
    checkout.python.unlink()
    assert checkout.work(Kind.RUN) is Work.EVERYTHING


def test_one_that_was_moved_is_made_anew(checkout: Environment, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in (RUN, DEV, "pyproject.toml", ".venv"):
        shutil.move(tmp_path / name, moved / name)
    assert Environment(moved).work(Kind.RUN) is Work.EVERYTHING


def test_a_change_that_fails_leaves_no_stamp_behind(checkout: Environment) -> None:
    (checkout.root / "pyproject.toml").write_text("changed")
    fake = checkout.uv
    (fake.folder / "bin").mkdir(parents=True)
    fake.program.write_text("#!/bin/sh\necho 'error: no network' >&2\nexit 2\n")
    fake.program.chmod(0o755)
    with pytest.raises(SetupFailed, match="no network"):
        checkout.make(Kind.RUN, lambda text: None)
    assert checkout.work(Kind.RUN) is Work.EVERYTHING


def test_uv_is_here_only_when_its_fetch_was_finished(tmp_path: Path) -> None:
    lock = tmp_path / "requirements-uv.lock"
    lock.write_text("uv==1 --hash=sha256:00")
    uv = Uv(tmp_path / "uv", lock)
    uv.folder.mkdir()
    assert not uv.is_here
    shutil.copy(lock, uv.folder / lock.name)
    assert uv.is_here
    lock.write_text("uv==2 --hash=sha256:11")
    assert not uv.is_here


def test_a_download_tells_size_and_time_left() -> None:
    download = Download()
    for line in ("Resolved 80 packages in 1s\n", "Downloading numpy (10.0MiB)\n", "Downloading onnx (30.0MiB)\n"):
        download.read(line)
    assert download.progress(5) == "0 of 42 MB"
    assert download.read(" Downloaded numpy\n")
    assert download.progress(5) == "10 of 42 MB, about 15 s left"
    download.read(" Downloaded onnx\n")
    assert download.progress(9) == "42 of 42 MB"


def test_the_packages_of_a_lock_are_counted() -> None:
    assert packages_in("# made by uv\na==1 \\\n    --hash=sha256:0==\nb==2 ; python_version < '3.12'\n") == 2
