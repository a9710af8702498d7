import json

import pytest

from support.shell import Typist, hearth
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration

KEPT = {"provider": "openai", "present": True, "kept_in": "keyring"}


@pytest.fixture
def keyring(backend: SmallBackend) -> SmallBackend:
    """A backend with a keyring."""
    backend.routes["PUT", "/v1/keys/openai"] = lambda asked: KEPT
    backend.routes["DELETE", "/v1/keys/openai"] = lambda asked: {**KEPT, "present": False, "kept_in": "nowhere"}
    backend.routes["GET", "/v1/keys"] = lambda asked: {"keys": [KEPT]}
    return backend


def test_a_key_comes_from_standard_input_and_is_not_shown(keyring: SmallBackend) -> None:
    outcome = hearth("keys", "set", "openai", stdin="sk-secret\n")
    assert outcome == (0, "The key of openai is kept in the keyring.\n", "")
    assert keyring.asked[0].body == {"key": "sk-secret"}


def test_a_key_is_typed_unseen(keyring: SmallBackend) -> None:
    with Typist(["keys", "set", "openai"]) as typist:
        typist.read_until("not shown")
        typist.type("sk-secret\n")
        assert typist.leave() == 0
        assert "sk-secret" not in typist.seen
    assert keyring.asked[0].body == {"key": "sk-secret"}


def test_a_key_on_the_command_line_is_wrong_usage(keyring: SmallBackend) -> None:
    assert hearth("keys", "set", "openai", "sk-secret").status == 2


def test_no_key_changes_nothing(keyring: SmallBackend) -> None:
    assert hearth("keys", "set", "openai", stdin="").status == 1
    assert not keyring.asked


@pytest.mark.parametrize(("ok", "status"), [(True, 0), (False, 1)])
def test_what_a_provider_says_of_its_key_is_told(keyring: SmallBackend, ok: bool, status: int) -> None:
    told = {"provider": "openai", "ok": ok, "detail": "openai said so.", "fix": "" if ok else "Set it."}
    keyring.routes["POST", "/v1/keys/openai/test"] = lambda asked: told
    assert hearth("keys", "test", "openai") == (status, "openai said so.\n" if ok else "openai said so. Set it.\n", "")
    assert json.loads(hearth("keys", "test", "openai", "--json").out) == told


def test_the_list_says_where_and_never_what(keyring: SmallBackend) -> None:
    assert hearth("keys", "list").out == "openai  keyring\n"
    assert json.loads(hearth("keys", "list", "--json").out) == {"keys": [KEPT]}


def test_no_keys_at_all(keyring: SmallBackend) -> None:
    keyring.routes["GET", "/v1/keys"] = lambda asked: {"keys": []}
    assert "hearth keys set openai" in hearth("keys", "list").out


def test_a_key_is_removed(keyring: SmallBackend) -> None:
    assert hearth("keys", "rm", "openai").out == "The key of openai is removed.\n"
