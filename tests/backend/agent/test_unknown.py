"""A model that calls tools badly, and tools that behave badly, by a scripted provider over real HTTP: each is one step
with one clear error that the agent reads and the person too, and the run goes on."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hearth_backend.agent.profiles import Profiles
from hearth_backend.tools.tool import Arguments, Limits, Tool, ToolContext, ToolResult
from hearth_shared.protocol.events import EventType
from support.agent_desk import desk
from support.gateways import provider_of
from support.journals import MemoryJournal
from support.provider import Behaviour, ModelServer, model_server, tool_call, words

pytestmark = pytest.mark.integration

PROFILE = """
title = "Assistant"
description = "Tries."
instructions = "Try."
tools = ["clock", "recall", "odd"]
"""


class How(Arguments):
    """What it is to do."""

    how: str
    times: int = 1


class Odd(Tool[How]):
    """Does what it should not."""

    name = "odd"
    description = "Behaves."
    takes = How
    limits = Limits(timeout_s=0.2, output=1000)

    async def call(self, arguments: How, context: ToolContext) -> ToolResult:
        match arguments.how:
            case "hang":
                await asyncio.Event().wait()
            case "flood":
                return ToolResult("flood " * 1_000_000)
            case "exit":
                raise SystemExit(3)
            case "break":
                raise RuntimeError("an inside of it")
            case _:
                pass
        return ToolResult("well behaved")


def odd(how: str) -> Behaviour:
    return tool_call("odd", json.dumps({"how": how}))


async def come_of(tmp_path: Path, *behaviours: Behaviour) -> tuple[str, MemoryJournal, ModelServer]:
    """The run's answer, its journal, and what the model was asked."""
    (tmp_path / "assistant.toml").write_text(PROFILE)
    async with (
        model_server(*behaviours) as server,
        desk(tmp_path, provider_of(server), agents=Profiles(tmp_path), tools=[Odd()]) as at,
    ):
        journal = MemoryJournal()
        answer = await at.loop(journal)
    return answer.text, journal, server


def told(journal: MemoryJournal) -> list[dict[str, Any]]:
    """What the person sees of each call's end."""
    return [dict(data) for kind, data in journal.events if kind is EventType.TOOL_FINISHED]


def heard(server: ModelServer) -> str:
    """What the model reads of its last call."""
    last = server.calls[1].body["messages"][-1]
    return str(last["content"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (tool_call("odd", "[1, 2]"), "arguments that are no object"),
        (tool_call("no_such_tool", "{}"), "There is no tool `no_such_tool`. There are: clock, recall, odd."),
        (tool_call("odd", '{"how": {"deep": 1}}'), "how"),
        (tool_call("odd", '{"how": "well", "times": "many"}'), "times"),
        (tool_call("odd", '{"how": "well", "more": 1}'), "more"),
    ],
    ids=["no object", "unknown tool", "wrong type", "not strict", "too much"],
)
async def test_a_wrong_call_is_said_once_to_agent_and_person_and_the_run_goes_on(
    call: Behaviour, said: str, tmp_path: Path
) -> None:
    answer, journal, server = await come_of(tmp_path, call, words("I know better now."))
    assert answer == "I know better now."
    assert len(server.calls) == 2
    assert said in heard(server)
    assert len(heard(server)) < 2000
    (ended,) = told(journal)
    assert ended["outcome"] != "ok"
    assert said in ended["problem"]
    assert len(ended["problem"]) < 2000


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("hang", "did not come to an end within 0.2 s"),
        ("exit", "broke in the middle"),
        ("break", "broke in the middle"),
    ],
)
async def test_a_tool_that_behaves_badly_is_one_failed_step(how: str, said: str, tmp_path: Path) -> None:
    answer, journal, server = await come_of(tmp_path, odd(how), words("Without it, then."))
    assert answer == "Without it, then."
    assert said in heard(server)
    assert "an inside of it" not in heard(server)
    (ended,) = told(journal)
    assert (ended["outcome"], said in ended["problem"]) == ("tool_failed", True)


async def test_a_flood_is_cut_and_says_so(tmp_path: Path) -> None:
    answer, journal, server = await come_of(tmp_path, odd("flood"), words("Enough."))
    assert answer == "Enough."
    assert len(heard(server)) < 2000
    (ended,) = told(journal)
    assert ended["outcome"] == "ok"
    (kept,) = [record["text"] for name, _, record in journal.steps if name == "tool.odd"]
    assert "characters left out]" in kept


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('{"how": "we', "a tool call that cannot be read"),
        (json.dumps({"how": "x" * 1_000_000}), "a tool call that is too long to be meant"),
    ],
    ids=["malformed", "a megabyte"],
)
async def test_a_call_that_nobody_can_read_is_never_made_and_the_run_ends_stated(
    arguments: str, said: str, tmp_path: Path
) -> None:
    """No other model is there to be asked in its place."""
    answer, journal, server = await come_of(tmp_path, tool_call("odd", arguments), words("never asked"))
    assert said in answer
    assert told(journal) == []
    assert len(server.calls) == 1


async def test_a_model_that_goes_on_calling_badly_is_stopped_and_that_is_said(tmp_path: Path) -> None:
    answer, journal, server = await come_of(tmp_path, tool_call("no_such_tool", "{}"))
    assert "could not be used" in answer
    assert 1 < len(server.calls) == len(told(journal)) < 5
