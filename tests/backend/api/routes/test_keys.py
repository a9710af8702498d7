import pytest

from support.backend import Backend

pytestmark = pytest.mark.integration


def test_providers_are_listed_with_the_place_of_their_key(backend: Backend) -> None:
    keys = backend.door().get("/v1/keys").json()["keys"]
    assert {"provider": "openai", "present": False, "kept_in": "nowhere"} in keys
    assert {"provider": "huggingface", "present": False, "kept_in": "nowhere"} in keys


def test_without_a_keyring_a_key_is_refused_with_what_helps(backend: Backend) -> None:
    answer = backend.door().put("/v1/keys/openai", json={"key": "sk-very-secret"})
    assert (answer.status_code, answer.json()["code"]) == (503, "keyring_unavailable")
    assert "HEARTH_KEY_" in answer.json()["fix"]
    assert "very-secret" not in answer.text


@pytest.mark.parametrize("name", ["A", "a b", "..", "-a", "a" * 65, "%00"])
def test_a_name_that_no_provider_has_is_refused(backend: Backend, name: str) -> None:
    assert backend.door().put(f"/v1/keys/{name}", json={"key": "x"}).status_code in (400, 404, 405)


def test_a_provider_without_a_key_is_told_so_and_an_unknown_one_too(backend: Backend) -> None:
    told = backend.door().post("/v1/keys/openai/test", json={}).json()
    assert (told["ok"], told["detail"]) == (False, "There is no key for openai.")
    assert "hearth keys set openai" in told["fix"]
    assert backend.door().post("/v1/keys/nobody/test", json={}).status_code == 404
    assert "is fetched" in backend.door().post("/v1/keys/huggingface/test", json={}).json()["detail"]


def test_a_wrong_body_does_not_repeat_the_key(backend: Backend) -> None:
    answer = backend.door().put("/v1/keys/openai", json={"key": ["sk-very-secret"]})
    assert answer.status_code == 422
    assert "very-secret" not in answer.text
