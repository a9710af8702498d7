"""What is counted shows under the promised names, and under no more of them than is good."""

import pytest

from hearth_backend.observe.metrics import Metrics

pytestmark = pytest.mark.unit


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def shown(metrics: Metrics) -> list[str]:
    return [line for line in metrics.render().decode().splitlines() if not line.startswith("#")]


def test_a_finished_task_is_counted_and_timed(metrics: Metrics) -> None:
    metrics.run("assistant", "cli", "finished", 0.2)
    lines = shown(metrics)
    assert 'agent_requests_total{agent="assistant",door="cli",outcome="finished"} 1.0' in lines
    assert 'agent_latency_seconds_count{agent="assistant",door="cli"} 1.0' in lines
    assert 'agent_latency_seconds_bucket{agent="assistant",door="cli",le="0.25"} 1.0' in lines


def test_an_error_is_counted_by_its_code(metrics: Metrics) -> None:
    metrics.error("no_model")
    metrics.error("no_model")
    assert 'agent_errors_total{code="no_model"} 2.0' in shown(metrics)


def test_tokens_and_cost_keep_their_fixed_names_without_total(metrics: Metrics) -> None:
    metrics.model_call("chat", "openai", "gpt", ok=True, input_tokens=7, output_tokens=3, cost=0.25)
    lines = shown(metrics)
    assert 'agent_token_usage{direction="input",model="gpt"} 7.0' in lines
    assert 'agent_token_usage{direction="output",model="gpt"} 3.0' in lines
    assert 'agent_cost_dollars{model="gpt",provider="openai"} 0.25' in lines


def test_a_model_call_is_counted_with_its_first_token(metrics: Metrics) -> None:
    metrics.model_call("chat", "local", "m", ok=False, first_seconds=0.3)
    lines = shown(metrics)
    assert 'hearth_model_calls_total{outcome="failed",provider="local",role="chat"} 1.0' in lines
    assert 'hearth_first_token_seconds_count{provider="local",role="chat"} 1.0' in lines


def test_an_unknown_price_adds_no_cost(metrics: Metrics) -> None:
    metrics.model_call("chat", "somebody", "m", ok=True, cost=None)
    assert not [line for line in shown(metrics) if line.startswith("agent_cost_dollars")]


def test_a_request_is_counted_by_route_template(metrics: Metrics) -> None:
    metrics.http("/v1/tasks/{task_id}", "GET", 404, 0.002)
    lines = shown(metrics)
    assert 'hearth_http_requests_total{method="GET",route="/v1/tasks/{task_id}",status="404"} 1.0' in lines
    assert 'hearth_http_seconds_count{route="/v1/tasks/{task_id}"} 1.0' in lines


def test_everything_else_that_happens_has_its_line(metrics: Metrics) -> None:
    metrics.tool_call("clock", "ok")
    metrics.recall("found")
    metrics.lane_waiting("chat", 3)
    metrics.approval("accept")
    metrics.feedback("good")
    metrics.engine_restart()
    assert {
        'hearth_tool_calls_total{outcome="ok",tool="clock"} 1.0',
        'hearth_recall_total{outcome="found"} 1.0',
        'hearth_lane_waiting{lane="chat"} 3.0',
        'hearth_approvals_total{decision="accept"} 1.0',
        'hearth_feedback_total{rating="good"} 1.0',
        "hearth_engine_restarts_total 1.0",
    } <= set(shown(metrics))


def test_made_up_labels_end_in_one_bucket(metrics: Metrics) -> None:
    for number in range(1000):
        metrics.error(f"code{number}")
    lines = [line for line in shown(metrics) if line.startswith("agent_errors_total")]
    assert 'agent_errors_total{code="other"} 600.0' in lines
    assert len(lines) == 401


def test_no_creation_times_are_shown(metrics: Metrics) -> None:
    metrics.run("assistant", "cli", "finished", 0.2)
    assert b"_created" not in metrics.render()


def test_the_five_fixed_names_are_described_with_their_labels(metrics: Metrics) -> None:
    labels = {described.name: described.labels for described in metrics.described()}
    assert labels["agent_requests_total"] == ("agent", "door", "outcome")
    assert labels["agent_latency_seconds"] == ("agent", "door")
    assert labels["agent_errors_total"] == ("code",)
    assert labels["agent_token_usage"] == ("direction", "model")
    assert labels["agent_cost_dollars"] == ("provider", "model")


def test_every_metric_shown_is_described(metrics: Metrics) -> None:
    headers = {line.split()[2] for line in metrics.render().decode().splitlines() if line.startswith("# TYPE")}
    assert headers == {described.name for described in metrics.described()}


def test_two_registries_do_not_mix(metrics: Metrics) -> None:
    metrics.error("no_model")
    assert not [line for line in shown(Metrics()) if "no_model" in line]
