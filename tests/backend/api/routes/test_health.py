import re

import pytest

from support.backend import Backend

pytestmark = pytest.mark.integration


def test_anybody_may_ask_whether_somebody_is_there(backend: Backend) -> None:
    assert backend.over_tcp("").get("/healthz").json() == {"ok": True}


def test_how_many_tasks_wait_is_counted_when_the_metrics_are_asked_for(backend: Backend) -> None:
    text = backend.door().get("/metrics").text
    waiting = dict(re.findall(r'hearth_lane_waiting\{lane="(\w+)"\} (\S+)', text))
    assert waiting.keys() == {"inline", "chat", "ambient", "indexing"}
