import json
from pathlib import Path

import pytest

from hearth_backend.cli.config import described, flat
from hearth_shared.settings import Settings
from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration


def test_get_reads_the_file_and_the_environment(hearth_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (hearth_home / "config.toml").write_text("[server]\nport = 5000\n")
    monkeypatch.setenv("HEARTH_MODELS__CHAT", "mine")
    assert hearth("config", "get", "server.port").out == "5000\n"
    assert hearth("config", "get", "models.chat").out == "mine\n"
    assert json.loads(hearth("config", "get", "--json").out)["models.cloud"] == "fallback"
    assert json.loads(hearth("config", "get", "server.port", "--json").out) == 5000
    assert "server.linger_s" in hearth("config", "get").out


def test_set_changes_the_file_and_keeps_the_rest(hearth_home: Path) -> None:
    (hearth_home / "config.toml").write_text("# mine\n[server]\nport = 5000\n")
    assert hearth("config", "set", "models.cloud", "never") == (0, "models.cloud is set.\n", "")
    assert (hearth_home / "config.toml").read_text() == '# mine\n[server]\nport = 5000\n\n[models]\ncloud = "never"\n'


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [("server.prot", "1", "no option"), ("server.port", "x", "cannot be"), ("models.cloud", "sometimes", "cannot be")],
)
def test_an_option_that_cannot_be_is_refused_with_the_way_on(
    hearth_home: Path, option: str, value: str, reason: str
) -> None:
    outcome = hearth("config", "set", option, value)
    assert outcome.status == 1
    assert reason in outcome.err
    assert "hearth config docs" in outcome.err
    assert not (hearth_home / "config.toml").exists()


def test_get_of_an_unknown_option_is_refused(hearth_home: Path) -> None:
    assert hearth("config", "get", "nonsense").status == 1


def test_a_running_backend_writes_the_file_itself(backend: SmallBackend) -> None:
    backend.routes["PUT", "/v1/settings"] = lambda asked: {"needs_restart": list(asked.body["values"])}
    outcome = hearth("config", "set", "server.port", "5001")
    assert backend.asked[0].body == {"values": {"server.port": "5001"}}
    assert "takes effect when Hearth starts again" in outcome.out


def test_docs_tell_every_option(hearth_home: Path) -> None:
    found = {entry["option"]: entry for entry in json.loads(hearth("config", "docs", "--json").out)}
    assert set(dict(flat(Settings().model_dump()))) - {"providers"} <= set(found)
    assert found["providers.NAME.url"]["default"] == "none"
    assert found["models.cloud"]["type"] == "never or fallback or allowed"
    assert found["providers.NAME.input_price"]["type"] == "number"
    assert "default 4747" in hearth("config", "docs").out


def test_every_option_says_what_it_is_for() -> None:
    assert all(entry["help"] for entry in described(Settings.model_json_schema()))
