import pytest

from hearth_shared.protocol.principals import Scope
from support import tools
from support.backend import Backend

pytestmark = pytest.mark.integration
ENGINE = "/v1/model-files/engine"


def test_the_builds_are_tried_and_the_one_in_use_is_marked(backend: Backend) -> None:
    tools.need("llama_cpp")
    found = backend.program(Scope.MODELS).get(f"{ENGINE}/builds").json()
    assert [build["chosen"] for build in found["builds"]].count(True) == 1
    (installed,) = [build for build in found["builds"] if build["origin"] == "installed with Hearth"]
    assert installed["usable"]
    assert any(device["kind"] == "cpu" for device in installed["devices"])
    assert found["why"]


def test_an_installation_nobody_began_is_not_found(backend: Backend) -> None:
    assert backend.door().get(f"{ENGINE}/installations/build_9").status_code == 404
    assert backend.door().delete(f"{ENGINE}/installations/build_9").status_code == 404


def test_a_backend_nobody_knows_is_refused(backend: Backend) -> None:
    answer = backend.door().post(f"{ENGINE}/installations", json={"backend": "abacus"})
    assert answer.status_code == 422
