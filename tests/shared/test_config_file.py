import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hearth_shared.config_file import change
from hearth_shared.errors import SettingsError
from hearth_shared.settings import load

pytestmark = pytest.mark.unit

WRITTEN = """# my Hearth
[server]
port = 5000   # the usual one is taken

[providers.home]
url = 'http://127.0.0.1:8080/v1'  # the box below the desk
where = "another machine"

[models]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(WRITTEN)
    return path


def test_one_line_changes_and_everything_else_stays(path: Path) -> None:
    change(path, {"server.port": "5001"})
    assert path.read_text() == WRITTEN.replace("5000", "5001")


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("models.chat", "qwen3-4b", 'chat = "qwen3-4b"'),
        ("models.look_around", "false", "look_around = false"),
        ("runs.workers", "2", "workers = 2"),
        ("observe.sample", "0.5", "sample = 0.5"),
        ("providers.home.url", "http://127.0.0.1:1/v1", 'url = "http://127.0.0.1:1/v1"  # the box below the desk'),
        ("providers.home.model", 'say "hé"\\', 'model = "say \\"hé\\"\\\\"'),
    ],
)
def test_an_option_is_written_as_its_type_where_it_belongs(path: Path, option: str, value: str, line: str) -> None:
    change(path, {option: value})
    assert line in path.read_text().splitlines()
    assert load(path, {}).server.port == 5000


def test_several_options_are_set_together_or_not_at_all(path: Path) -> None:
    with pytest.raises(SettingsError):
        change(path, {"server.port": 1234, "runs.workers": "many"})
    assert path.read_text() == WRITTEN
    change(path, {"providers.cloud.url": "https://example.org/v1", "providers.cloud.model": "m"})
    assert load(path, {}).providers["cloud"].model == "m"


def test_a_file_that_is_not_there_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "home" / "config.toml"
    change(path, {"server.port": 0})
    assert path.read_text() == "[server]\nport = 0\n"
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "option", ["port", "server", "server.prot", "server.port.deep", "no.such", "a b.c", "", "models"]
)
def test_an_unknown_option_is_refused(path: Path, option: str) -> None:
    with pytest.raises(SettingsError, match="hearth config docs"):
        change(path, {option: "1"})
    assert path.read_text() == WRITTEN


@pytest.mark.parametrize("clever", ["server.port = 5000\n", "server = { port = 5000 }\n", '[server]\n"port" = 5000\n'])
def test_a_file_too_clever_is_refused_and_kept(tmp_path: Path, clever: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(clever)
    with pytest.raises(SettingsError, match="editor"):
        change(path, {"server.port": "5001"})
    assert path.read_text() == clever


def test_a_file_that_is_broken_already_is_said_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[server\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        change(path, {"server.port": "5001"})
    assert path.read_text() == "[server\n"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_as_it_was_or_is_refused(path: Path, text: str) -> None:
    try:
        change(path, {"models.chat": text})
    except SettingsError:
        assert "\x7f" in text  # DEL is JSON but not TOML
    else:
        assert tomllib.loads(path.read_text())["models"]["chat"] == text


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be"):
        change(tmp_path / "file" / "config.toml", {"server.port": "1"})


def test_values_may_come_typed(path: Path) -> None:
    values: dict[str, Any] = {"models.look_around": False, "observe.sample": 1}
    change(path, values)
    assert load(path, {}).models.look_around is False
