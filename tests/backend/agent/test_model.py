from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.agent.profiles import Profiles
from hearth_shared.protocol.threads import ThreadMessage
from hearth_shared.settings import Models as Policy
from support.gateways import patient
from support.journals import RUN, MemoryJournal
from support.loops import desk
from support.provider import model_server, words

pytestmark = pytest.mark.integration

PROFILE = """
title = "Assistant"
description = "Helps."
instructions = "Help."
[models]
chat = "{chat}"
"""


@pytest.mark.parametrize(("chat", "most"), [("auto", 1024), ("far/m", 8192)])
async def test_the_model_that_a_profile_names_sizes_the_window(chat: str, most: int, tmp_path: Path) -> None:
    """The one of this machine reads 4096 tokens, as far as anybody knows; the one far away eight times that."""
    (tmp_path / "assistant.toml").write_text(PROFILE.format(chat=chat))
    told = [
        ThreadMessage(id=f"m{n}", run_id=f"r{n // 2}", role=role, text=f"No {n}. " + "word " * 300, created_at=n)
        for n, role in enumerate(("user", "assistant") * 15)
    ]
    async with (
        model_server(words("ok")) as near,
        model_server(words("ok")) as far,
        desk(
            tmp_path,
            patient(near, "near"),
            patient(far, "far", where="cloud"),
            policy=Policy(cloud="allowed"),
            agents=Profiles(tmp_path),
        ) as at,
    ):
        await at.loop(MemoryJournal(replace(RUN, history=told)))
        (asked,) = [*near.calls, *far.calls]
    assert asked.body["max_tokens"] == most
    whole = [message for message in asked.body["messages"] if message["content"].startswith("No ")]
    assert (len(whole) == len(told)) == (chat != "auto")


async def test_a_profile_whose_model_is_not_there_says_which(tmp_path: Path) -> None:
    (tmp_path / "assistant.toml").write_text(PROFILE.format(chat="gone"))
    async with (
        model_server(words("ok")) as server,
        desk(tmp_path, patient(server), agents=Profiles(tmp_path)) as at,
    ):
        answer = await at.loop(MemoryJournal())
    assert "There is no model 'gone'" in answer.text
    assert server.calls == []
