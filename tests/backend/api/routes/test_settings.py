from collections.abc import Iterator

import pytest

from support.backend import Backend, running

pytestmark = pytest.mark.integration

CONFIG = """# mine
[providers.far]
url = "https://example.org/v1"
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with running(tmp_path_factory.mktemp("settings") / "home", CONFIG) as backend:
        yield backend


def test_every_option_is_shown_with_its_help(own: Backend) -> None:
    shown = own.door().get("/v1/settings").json()
    assert shown["values"]["server.max_body"] == 1_048_576
    assert shown["json_schema"]["$defs"]["Server"]["properties"]["port"]["description"]
    assert shown["needs_restart"] == []


def test_a_login_inside_an_address_is_not_shown(own: Backend) -> None:
    answer = own.door().put("/v1/settings", json={"values": {"providers.far.url": "https://me:pass@example.org/v1"}})
    assert answer.json()["values"]["providers.far.url"] == "https://example.org/v1"
    assert "pass@" not in own.door().get("/v1/settings").text


def test_a_change_is_written_where_the_person_reads_it(own: Backend) -> None:
    answer = own.door().put("/v1/settings", json={"values": {"memory.enabled": False, "engine.context": "4096"}})
    assert {"engine.context", "memory.enabled"} <= set(answer.json()["needs_restart"])
    assert answer.json()["values"]["engine.context"] == 4096
    written = own.home.config.read_text()
    assert written.startswith("# mine")
    assert "context = 4096" in written


@pytest.mark.parametrize(
    "values",
    [{"server.prot": 1}, {"server.port": "far"}, {"server": {}}, {"": 1}, {"server.port": None}, {"a.b.c": "\u0000"}],
)
def test_a_change_that_cannot_be_is_told_and_changes_nothing(own: Backend, values: dict[str, object]) -> None:
    before = own.home.config.read_text()
    answer = own.door().put("/v1/settings", json={"values": {"observe.sample": 0.5, **values}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")
    assert answer.json()["fix"]
    assert own.home.config.read_text() == before
