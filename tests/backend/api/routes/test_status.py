import pytest

from hearth_backend.api.routes.status import state
from hearth_shared.protocol.models import ModelInfo
from hearth_shared.protocol.status import Component
from support.backend import Backend

pytestmark = pytest.mark.integration

CHAT = ModelInfo(id="m", provider="near", where="this machine", roles=["chat"])
EMBED = ModelInfo(id="e", provider="minilm", where="this machine", roles=["embed"])
FAULT = Component(name="storage", state="fault")


@pytest.mark.parametrize(
    ("components", "models", "lanes", "pending", "told"),
    [
        ([FAULT], [CHAT], {"chat": 1}, 1, "fault"),
        ([], [CHAT], {"chat": 1}, 1, "needs you"),
        ([], [EMBED], {"chat": 1}, 0, "thinking"),
        ([], [CHAT], {"chat": 0}, 0, "idle"),
        ([], [EMBED], {"chat": 0}, 0, "no model"),
    ],
)
def test_the_most_pressing_state_is_told(
    components: list[Component], models: list[ModelInfo], lanes: dict[str, int], pending: int, told: str
) -> None:
    assert state(components, models, lanes, pending) == told


def test_the_status_of_a_backend_without_a_language_model(backend: Backend) -> None:
    status = backend.door().get("/v1/status").json()
    assert status["state"] in ("no model", "thinking")
    assert status["uptime_s"] > 0
    assert status["memory"]["documentation"] > 0


def test_readiness_is_told_by_component(backend: Backend) -> None:
    answer = backend.door().get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)


def test_the_five_fixed_metrics_are_there(backend: Backend) -> None:
    answer = backend.door().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for name in ("requests_total", "latency_seconds", "errors_total", "token_usage", "cost_dollars"):
        assert f"# TYPE agent_{name} " in answer.text


def test_the_doctor_performs_its_checks(backend: Backend) -> None:
    report = backend.door().get("/v1/doctor").json()
    assert report["checks"]
    assert all(check["detail"] for check in report["checks"])
