import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.integration


def test_a_file_that_is_no_model_is_told_with_its_cause_and_fix(backend: Backend) -> None:
    path = backend.home.models / "noise.gguf"
    path.write_bytes(b"hello" * 1000)
    try:
        (file,) = backend.program(Scope.MODELS).get("/v1/model-files").json()["files"]
        checks = backend.door().get("/v1/doctor").json()["checks"]
    finally:
        path.unlink()
    assert (file["name"], file["model"], file["bytes"], file["readable"]) == ("noise.gguf", "noise", 5000, False)
    assert file["detail"] == "noise.gguf cannot be used: it is not a GGUF file."
    assert file["fix"]
    (check,) = [check for check in checks if check["name"] == "model files"]
    assert (check["state"], check["detail"]) == ("warn", file["detail"])
