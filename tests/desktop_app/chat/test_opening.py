"""Where a source leads; nothing that it names is run."""

from pathlib import Path

import pytest

from hearth_desktop.chat.opening import File, Folder, Page, Text, Thread, target
from support.wire_values import source

pytestmark = pytest.mark.unit


def test_a_page_opens_in_the_browser() -> None:
    assert target(source(kind="page", url="https://example.org/a")) == Page("https://example.org/a")
    assert target(source(url="http://example.org/b")) == Page("http://example.org/b")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "file:///etc/passwd", "https:///x", "data:text/html,x", "http://[", ""]
)
def test_any_other_address_is_only_shown(address: str) -> None:
    assert isinstance(target(source(kind="page", url=address, location=address)), Text)


def test_a_memory_leads_to_the_thread_it_was_said_in() -> None:
    assert target(source(location="main/run_7")) == Thread("run_7")
    assert target(source(location="main/import-3")) == Text("")


def test_a_file_opens_at_its_path(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("x")
    assert target(source(kind="file", location=f"{path}:5")) == File(str(path))
    assert target(source(kind="file", location="", id=str(path))) == File(str(path))


def test_a_file_that_would_run_opens_its_folder(tmp_path: Path) -> None:
    script, entry = tmp_path / "run.sh", tmp_path / "x.desktop"
    for path in (script, entry):
        path.write_text("x")
    program = tmp_path / "program"
    program.write_text("x")
    program.chmod(0o755)
    for path in (script, entry, program):
        assert target(source(kind="file", location=str(path))) == Folder(str(tmp_path))


@pytest.mark.parametrize("location", ["notes.md", "/no/such/file.md", "/etc"])
def test_a_file_that_is_not_there_is_only_shown(location: str) -> None:
    found = target(source(kind="file", location=location, id=location))
    assert isinstance(found, Text)
    assert found.reason


def test_help_has_its_text() -> None:
    assert target(source(kind="docs", location="help/hearth.md")) == Text("")
