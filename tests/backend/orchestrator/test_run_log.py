from typing import Any

import pytest

from hearth_backend.orchestrator.run_log import TOLD, lines
from hearth_shared.protocol.events import EventType

pytestmark = pytest.mark.unit
STEP = {"seq": 2, "name": "tool.write", "call_id": "c"}
FAILED = {"code": "no_model", "detail": "No model.", "fix": "Connect one.", "retryable": False}


@pytest.mark.parametrize(
    ("kind", "data", "level", "text"),
    [
        ("task.queued", {"goal": "g", "lane": "chat"}, "info", "queued in the lane chat"),
        ("task.queued", {"detail": "No.", "again_in_s": 3.6, "lane": "chat"}, "warn", "No. It is tried again in 4 s."),
        ("task.failed", FAILED, "error", "failed: No model. Connect one."),
        ("step.finished", {**STEP, "state": "done"}, "info", "step 2: tool.write"),
        ("step.finished", {**STEP, "state": "unknown"}, "warn", "Hearth stopped during tool.write"),
        ("step.finished", {**STEP, "state": "failed"}, "error", "tool.write failed"),
        ("tool.finished", {"name": "t", "outcome": "bad_request", "problem": "No such file."}, "warn", "No such file."),
        ("approval.requested", {"id": "apr_1", "tool": "write"}, "info", "waits for your decision: write (apr_1)"),
        ("text.reset", {"part": 0, "attempt": 2}, "warn", "begins again"),
    ],
)
def test_each_event_is_a_line_in_a_persons_words(kind: str, data: dict[str, Any], level: str, text: str) -> None:
    (line,) = lines([(1.0, EventType(kind), data)])
    assert (line.at, line.level) == (1.0, level)
    assert text in line.text


@pytest.mark.parametrize(
    ("kind", "data"), [("tool.finished", {"name": "t", "outcome": "ok"}), ("text.reset", {"part": 0})]
)
def test_what_tells_nothing_is_no_line(kind: str, data: dict[str, Any]) -> None:
    assert lines([(1.0, EventType(kind), data)]) == []


def test_text_and_its_like_are_not_told() -> None:
    assert EventType.TEXT_DELTA not in TOLD
    assert EventType.TASK_FAILED in TOLD


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_an_event_that_tells_less_is_still_a_line_or_none(kind: EventType) -> None:
    assert len(lines([(1.0, kind, {})])) <= 1
