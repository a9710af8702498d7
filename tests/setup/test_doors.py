"""Where Hearth says it is, and how its command gets onto the PATH."""

import sys
from pathlib import Path

import pytest

from hearth_setup.doors import Link, choose_link, doors, put_on_path
from hearth_shared.paths import Home

pytestmark = pytest.mark.unit


def test_every_door_has_its_line(tmp_path: Path) -> None:
    said = "\n".join(doors(Home(tmp_path), 4747, tray=True))
    assert "hearth ask" in said
    assert "hearth toggle" in said
    assert "hearth pair editor" in said
    assert "hearth pair browser" in said
    assert "http://127.0.0.1:4747/v1" in said
    assert str(tmp_path) in said


def test_without_a_display_the_tray_is_said_to_need_one(tmp_path: Path) -> None:
    said = "\n".join(doors(Home(tmp_path), 4747, tray=False))
    assert "needs a display" in said
    assert "hearth toggle" not in said


def test_a_closed_http_door_is_said_to_be_closed(tmp_path: Path) -> None:
    said = "\n".join(doors(Home(tmp_path), None, tray=False))
    assert "closed" in said
    assert "http://" not in said


def test_a_folder_of_ones_own_that_is_on_the_path_is_taken(tmp_path: Path) -> None:
    environ = {"PATH": f"/usr/bin:{tmp_path / 'bin'}"}
    assert choose_link(environ, tmp_path, is_root=False) == Link(tmp_path / "bin" / "hearth")


def test_root_links_for_everybody() -> None:
    environ = {"PATH": "/usr/local/bin:/usr/bin"}
    assert choose_link(environ, Path("nowhere"), is_root=True) == Link(Path("/usr/local/bin/hearth"))


def test_without_such_a_folder_one_line_is_given(tmp_path: Path) -> None:
    link = choose_link({"PATH": "/usr/bin"}, tmp_path, is_root=False)
    assert link is not None
    assert link.path == tmp_path / ".local" / "bin" / "hearth"
    assert str(tmp_path / ".local" / "bin") in link.line


def test_a_user_without_a_home_gets_one_line_too(tmp_path: Path) -> None:
    link = choose_link({"PATH": "/usr/bin"}, None, is_root=False)
    assert link is None
    assert f'export PATH="{tmp_path}:$PATH"' in put_on_path(link, tmp_path / "hearth")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The `hearth` of an environment."""
    path = tmp_path / "checkout" / ".venv" / "bin" / "hearth"
    path.parent.mkdir(parents=True)
    path.symlink_to(sys.executable)
    return path


def test_the_link_leads_to_the_program(tmp_path: Path, program: Path) -> None:
    link = Link(tmp_path / "new" / "bin" / "hearth")
    assert str(link.path) in put_on_path(link, program)
    assert link.path.readlink() == program


def test_linking_again_replaces_a_link_of_ours(tmp_path: Path, program: Path) -> None:
    link = Link(tmp_path / "hearth")
    link.path.symlink_to(tmp_path / "moved away" / ".venv" / "bin" / "hearth")
    put_on_path(link, program)
    assert link.path.readlink() == program


@pytest.mark.parametrize("somebody_elses", ["file", "link"])
def test_a_program_of_somebody_elses_stays(tmp_path: Path, program: Path, somebody_elses: str) -> None:
    link = Link(tmp_path / "hearth")
    other = tmp_path / "other"
    other.write_text("theirs")
    link.path.symlink_to(other) if somebody_elses == "link" else other.rename(link.path)
    assert "is another program" in put_on_path(link, program)
    assert link.path.read_text() == "theirs"


def test_a_folder_that_cannot_be_written_gives_the_line_instead(tmp_path: Path, program: Path) -> None:
    (tmp_path / "bin").write_text("a file where a folder should be")
    said = put_on_path(Link(tmp_path / "bin" / "hearth"), program)
    assert f'export PATH="{program.parent}:$PATH"' in said
