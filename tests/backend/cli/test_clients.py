import json
import time

import pytest

from support.shell import hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

CLIENT = {
    "id": "cli_1",
    "name": "my-editor",
    "kind": "third party",
    "scopes": ["chat"],
    "spaces": ["main"],
    "created_at": 0.0,
    "expires_at": time.time() + 90.2 * 86400,
    "last_seen_at": None,
    "revoked_at": None,
}


def test_a_token_stands_alone_on_standard_output(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/clients"] = lambda asked: {"client": CLIENT, "token": "hth_1_abc"}
    outcome = hearth("token", "create", "my-editor", "--scope", "chat", "--days", "90")
    assert outcome.out == "hth_1_abc\n"
    assert "my-editor may: chat. Expires in 90 d." in outcome.err
    assert backend.asked[0].body == {"name": "my-editor", "days": 90.0, "scopes": ["chat"]}


def test_for_a_program_the_client_comes_along(backend: SmallBackend) -> None:
    backend.routes["POST", "/v1/clients"] = lambda asked: {"client": CLIENT, "token": "hth_1_abc"}
    outcome = hearth("token", "create", "my-editor", "--space", "work", "--json")
    assert json.loads(outcome.out)["client"]["id"] == "cli_1"
    assert backend.asked[0].body["spaces"] == ["work"]


@pytest.mark.parametrize("word", ["token", "clients"])
def test_the_list_shows_who_may_what(backend: SmallBackend, word: str) -> None:
    revoked = {**CLIENT, "id": "cli_2", "revoked_at": time.time() - 200}
    backend.routes["GET", "/v1/clients"] = lambda asked: {"clients": [CLIENT, revoked]}
    out = hearth(word, "list").out
    assert "cli_1  my-editor  third party  chat  never      in 90 d" in out
    assert "revoked 3 min ago" in out
    assert len(json.loads(hearth(word, "list", "--json").out)["clients"]) == 2


def test_no_clients_at_all(backend: SmallBackend) -> None:
    backend.routes["GET", "/v1/clients"] = lambda asked: {"clients": []}
    assert "hearth token create" in hearth("clients", "list").out


@pytest.mark.parametrize("word", ["token", "clients"])
def test_a_token_is_revoked(backend: SmallBackend, word: str) -> None:
    backend.routes["DELETE", "/v1/clients/cli_1"] = lambda asked: CLIENT
    assert hearth(word, "revoke", "cli_1").out == "my-editor may no longer come in.\n"
