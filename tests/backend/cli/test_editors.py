import tomllib
from pathlib import Path

import pytest

from hearth_backend.cli.editors import EDITORS, program, shipped
from support.shell import Typist, hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

GRANTED = {"id": "cli_1", "expires_at": 4e9}


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


def test_editors_may_decide_once_a_person_at_a_terminal_says_so(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/clients/editors"] = lambda asked: GRANTED
    with Typist(["pair", "editor", "--decide", "--days", "7"]) as typist:
        typist.read_until("Type accept: ")
        assert "could then decide approvals" in typist.seen
        typist.type("accept\n")
        assert typist.leave() == 0
        assert "`hearth clients revoke cli_1` takes it back." in typist.seen
    assert [asked.body for asked in backend.asked] == [{"days": 7.0}]


def test_editors_may_not_decide_when_the_person_says_anything_else(backend: SmallBackend) -> None:
    with Typist(["pair", "editor", "--decide"]) as typist:
        typist.read_until("Type accept: ")
        typist.type("yes\n")
        assert typist.leave() == 1
    assert backend.asked == []


def test_no_program_lets_editors_decide(backend: SmallBackend) -> None:
    outcome = hearth("pair", "editor", "--decide")
    assert outcome.status == 1
    assert "only by a person at a terminal" in outcome.err
    assert backend.asked == []
