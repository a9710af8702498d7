import tomllib
from pathlib import Path

import pytest

from hearth_backend.cli.editors import EDITORS, program, shipped
from support.shell import hearth

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", EDITORS)
def test_the_lines_stand_alone_on_standard_output(name: str) -> None:
    outcome = hearth("pair", "editor", name)
    assert outcome.status == 0
    assert "lsp" in outcome.out
    assert EDITORS[name].title not in outcome.out
    assert EDITORS[name].title in outcome.err


def test_without_a_name_the_editors_are_listed() -> None:
    outcome = hearth("pair", "editor")
    assert all(name in outcome.out for name in EDITORS)


def test_an_editor_that_is_not_done_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert hearth("pair", "editor", "zed").status == 2
    assert "invalid choice" in capsys.readouterr().err


def test_a_command_with_odd_signs_is_quoted() -> None:
    odd = 'a "b" \\c'
    folder = Path("/x")
    assert tomllib.loads(EDITORS["helix"].lines(odd, folder))["language-server"]["hearth"]["command"] == odd
    for editor in EDITORS.values():
        assert r"a \"b\" \\c" in editor.lines(odd, folder)


def test_what_comes_with_hearth_is_found_where_it_is() -> None:
    assert (shipped().parent / "__init__.py").is_file()
    assert str(shipped() / "neovim") in hearth("pair", "editor", "neovim").out


def test_hearth_is_called_by_its_name_only_where_that_leads_here(tmp_path: Path) -> None:
    own = tmp_path / "hearth"
    own.write_text("")
    assert program(lambda name: str(own), tmp_path) == "hearth"
    assert program(lambda name: None, tmp_path) == str(own)
    assert program(lambda name: "/usr/bin/other", tmp_path) == str(own)
    assert program(lambda name: "/usr/bin/other", tmp_path / "none") == "hearth"
