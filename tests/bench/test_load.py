"""The load generator counts what it should, against a server that does the right and the wrong thing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import echo
from bench.load import Spec, generate

pytestmark = pytest.mark.integration

SPEC = Spec("", "none", "/echo", "/echo", {"goal": "x"}, rate=500, seconds=0.4, connections=4)


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A FastAPI echo on a Unix socket."""
    path = tmp_path_factory.mktemp("echo") / "echo.sock"
    with echo.running(path):
        yield path


def test_every_request_is_sent_and_answered_and_three_of_ten_are_posts(socket: Path) -> None:
    outcome = generate(replace(SPEC, socket=str(socket)))
    assert (outcome.sent, outcome.errors) == (200, 0)
    assert outcome.statuses == {"200": 140, "202": 60}
    assert 0 < outcome.get_ms["p50"] <= outcome.get_ms["max"]


def test_what_is_refused_is_an_error_and_no_latency(socket: Path) -> None:
    outcome = generate(replace(SPEC, socket=str(socket), get="/nowhere", posts=0))
    assert outcome.statuses == {"404": 200}
    assert outcome.errors == 200
    assert not outcome.get_ms
