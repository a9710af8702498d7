import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from hearth_shared import logs
from hearth_shared.logs import Logs, clean, set_up

pytestmark = pytest.mark.unit

LOG = logging.getLogger("hearth_test")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Logs]:
    log = set_up("info", tmp_path)
    yield log
    log.close()


def last(log: Logs) -> dict[str, Any]:
    return json.loads(log.recent()[-1])


def test_a_record_is_one_line_of_json_with_its_request_and_run(log: Logs, tmp_path: Path) -> None:
    request, run = logs.request_id.set("req_1"), logs.run_id.set("run_1")
    LOG.info("run %s finished", "run_1")
    logs.request_id.reset(request)
    logs.run_id.reset(run)
    record = last(log)
    assert (record["request_id"], record["run_id"], record["message"]) == ("req_1", "run_1", "run run_1 finished")
    assert (tmp_path / "hearth.log").read_text("utf-8").splitlines() == log.recent()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer hunter2hunter2",
        "{'authorization': 'Bearer hunter2hunter2'}",
        '"Authorization":"hunter2"',
        "sent bearer hunter2hunter2",
        "x-api-key: hunter2",
        "api_key=hunter2&x=1",
        "GET /v1/x?token=hunter2&y=2",
        "made hth_abc_hunter2-hunter2",
        "key sk-proj-hunter2hunter2",
        "key gsk_hunter2hunter2",
        f"key {SecretStr('hunter2')}",
        repr({"key": SecretStr("hunter2")}),
    ],
)
def test_secrets_are_hidden(log: Logs, text: str) -> None:
    LOG.info("got %s", text)
    assert "hunter2" not in log.recent()[-1]


def test_secrets_are_hidden_in_exceptions_too(log: Logs) -> None:
    try:
        raise ValueError("bad key sk-hunter2hunter2\nforged line")
    except ValueError:
        LOG.info("failed", exc_info=True)
    assert "hunter2" not in log.recent()[-1]
    assert len(log.recent()[-1].splitlines()) == 1
    assert any("ValueError" in line for line in last(log)["exception"])


@pytest.mark.parametrize(
    "text", ["the token count is 12", "risk-averse", "author: Ann", "bearer of news", "skip-level"]
)
def test_plain_words_stay(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("attack", ["a\nb", "a\r\nb", "\x1b[2J", "\u202e", "\u2028", "\x85"])
def test_nothing_breaks_the_line_or_commands_the_terminal(log: Logs, attack: str) -> None:
    LOG.info("said %s", attack)
    assert len(log.recent()[-1].splitlines()) == 1
    assert "⟦U+" in last(log)["message"]


def test_files_turn_over_and_old_ones_go(tmp_path: Path) -> None:
    log = set_up("info", tmp_path, size=2000, keep=2)
    for number in range(200):
        LOG.info("line %s", number)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["hearth.log", "hearth.log.1", "hearth.log.2"]
    assert all(file.stat().st_size <= 2000 and file.stat().st_mode & 0o077 == 0 for file in files)
    assert "line 199" in files[0].read_text()


def test_the_ring_forgets_the_oldest(tmp_path: Path) -> None:
    log = set_up("info", tmp_path, ring=3)
    for number in range(5):
        LOG.info("line %s", number)
    log.close()
    assert [json.loads(line)["message"] for line in log.recent()] == ["line 2", "line 3", "line 4"]


def test_the_level_holds(tmp_path: Path) -> None:
    log = set_up("warning", tmp_path)
    LOG.info("quiet")
    log.close()
    assert log.recent() == []


def test_a_folder_that_cannot_be_written_costs_the_file_alone(tmp_path: Path) -> None:
    log = set_up("info", tmp_path / "none")
    LOG.info("still here")
    log.close()
    assert ["no log file" in log.recent()[0], json.loads(log.recent()[1])["message"]] == [True, "still here"]


def test_closing_puts_everything_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    set_up("debug", tmp_path).close()
    assert (root.level, list(root.handlers)) == before
