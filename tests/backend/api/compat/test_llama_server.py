import json
from collections.abc import Sequence
from typing import Any

import pytest

from hearth_backend.api.compat import llama_server
from hearth_backend.api.compat.llama_server_bodies import CompletionBody, InfillBody
from hearth_backend.gateway.messages import (
    Caller,
    ChatEvent,
    CompletionRequest,
    Finished,
    ReasoningDelta,
    Restart,
    TextDelta,
)
from hearth_shared.errors import IncompleteAnswer, ModelFailed
from support.scripted_models import CHOSEN, FINISHED, ScriptedModels, says

pytestmark = pytest.mark.unit

CALLER, ASKED = Caller("req_1", "http"), CompletionRequest("x")


async def streamed(script: Sequence[ChatEvent | Exception]) -> list[dict[str, Any]]:
    events = ScriptedModels(script).complete(ASKED, CALLER)
    return [json.loads(piece.decode().removeprefix("data: ")) async for piece in llama_server.pieces(events)]


async def test_only_the_last_piece_says_stop() -> None:
    pieces = await streamed([CHOSEN, TextDelta("a"), ReasoningDelta("hm"), TextDelta("b"), FINISHED])
    assert [(piece["content"], piece["stop"]) for piece in pieces] == [("a", False), ("b", False), ("", True)]
    assert (pieces[-1]["tokens_evaluated"], pieces[-1]["tokens_predicted"]) == (7, 3)


@pytest.mark.parametrize(
    "script",
    [
        [CHOSEN, TextDelta("a")],
        [CHOSEN, TextDelta("a"), ModelFailed("x")],
        [CHOSEN, TextDelta("a"), Restart("gone"), CHOSEN, TextDelta("b"), FINISHED],
    ],
)
async def test_what_breaks_never_says_stop(script: list[ChatEvent | Exception]) -> None:
    with pytest.raises((IncompleteAnswer, ModelFailed)):
        await streamed(script)


async def test_a_model_that_began_again_is_read_from_there() -> None:
    script = [CHOSEN, TextDelta("a"), Restart("gone"), CHOSEN, TextDelta("b"), FINISHED]
    assert (await llama_server.whole(ScriptedModels(script).complete(ASKED, CALLER)))["content"] == "b"


async def test_time_is_counted_from_the_first_word_and_ends_the_answer_as_length() -> None:
    models = ScriptedModels(says("a", "b"))
    bounded = llama_server.bounded(models.complete(ASKED, CALLER), 0.0)
    events = [one async for one in bounded]
    assert events[:2] == [CHOSEN, TextDelta("a")]
    assert isinstance(events[-1], Finished)
    assert (len(events), events[-1].reason) == (3, "length")


async def test_without_a_limit_nothing_is_cut() -> None:
    events = [one async for one in llama_server.bounded(ScriptedModels(says("a", "b")).complete(ASKED, CALLER), None)]
    assert events == [CHOSEN, TextDelta("a"), TextDelta("b"), FINISHED]


def test_the_cursor_stands_behind_prefix_and_prompt() -> None:
    body = InfillBody.model_validate(
        {
            "input_prefix": "a\n",
            "prompt": "  b",
            "input_suffix": "c",
            "input_extra": [{"filename": "f", "text": "t"}, {"text": ""}],
            "seed": -1,
            "n_predict": -1,
        }
    )
    asked = body.asked()
    assert (asked.prefix, asked.suffix, asked.files) == ("a\n  b", "c", (("f", "t"),))
    assert (asked.sampling.seed, asked.sampling.max_tokens) == (None, None)


def test_a_text_that_is_too_long_is_refused_and_not_cut_in_silence() -> None:
    assert CompletionBody.model_validate({"prompt": "a"}).asked().budget is None
    assert InfillBody.model_validate({"input_prefix": "a"}).asked().budget == 0
