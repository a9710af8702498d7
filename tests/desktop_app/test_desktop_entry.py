import configparser
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop import desktop_entry
from hearth_shared.errors import HomeError

pytestmark = pytest.mark.unit
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^ "]+)')
START = ["/usr/bin/python3", "-I", "-m", "hearth_desktop"]


def fields(text: str, section: str = "Desktop Entry") -> dict[str, str]:
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read_string(text)
    return dict(parser[section])


def words_of(line: str) -> list[str]:
    """As a desktop reads `Exec`: first the value's escapes, then the quotes, then the field codes."""
    value = line.replace("\\\\", "\\")
    words = [plain or re.sub(r"\\(.)", r"\1", quoted) for quoted, plain in _WORD.findall(value)]
    return [word.replace("%%", "%") for word in words]


def test_at_login_only_the_icon_comes() -> None:
    entry = fields(desktop_entry.autostart(START))
    assert words_of(entry["Exec"]) == [*START, "--background"]
    assert (entry["Type"], entry["Name"], entry["Icon"]) == ("Application", "Hearth", desktop_entry.APP_ID)


def test_among_the_applications_it_offers_ask_and_inbox() -> None:
    text = desktop_entry.application(START)
    assert words_of(fields(text)["Exec"]) == START
    assert words_of(fields(text, "Desktop Action ask")["Exec"])[-1] == "ask"
    assert words_of(fields(text, "Desktop Action inbox")["Exec"])[-1] == "inbox"


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=30))
def test_any_path_survives_its_quoting(word: str) -> None:
    line = desktop_entry.quoted(word)
    assert words_of(line) == [word]


def test_a_home_of_its_own_goes_with_it() -> None:
    assert desktop_entry.command({"HEARTH_HOME": "/home/a b"})[:2] == ["env", "HEARTH_HOME=/home/a b"]
    assert desktop_entry.command({})[1:] == ["-I", "-m", "hearth_desktop"]


def test_places_are_those_of_the_specification(tmp_path: Path) -> None:
    usual = desktop_entry.places({}, tmp_path)
    assert usual.autostart == tmp_path / ".config" / "autostart" / "dev.hearth.Desktop.desktop"
    assert usual.applications == tmp_path / ".local" / "share" / "applications" / "dev.hearth.Desktop.desktop"
    chosen = desktop_entry.places({"XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "relative"}, tmp_path)
    assert chosen.autostart == Path("/c/autostart/dev.hearth.Desktop.desktop")
    assert chosen.icons.is_relative_to(tmp_path)


def test_it_is_written_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "new" / "entry.desktop"
    desktop_entry.write(path, "text")
    assert path.read_text("utf-8") == "text"
    desktop_entry.remove(path)
    desktop_entry.remove(path)
    assert not list(path.parent.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="cannot be written"):
        desktop_entry.write(tmp_path / "file" / "entry.desktop", "text")
