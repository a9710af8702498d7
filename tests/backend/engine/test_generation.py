"""Requests answered at once by real llama.cpp: nobody's answer depends on who else is there."""

import asyncio
import random
import subprocess
import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from hearth_backend.engine.client import Engine
from hearth_backend.engine.frames import Event, Piece, Started
from hearth_backend.engine.lanes import LANES, Lane
from hearth_backend.engine.sampling import Sampling
from hearth_backend.engine.supervisor import Asker
from hearth_shared.errors import Cancelled, DeadlineExceeded
from support.engines import begun, end_of, heard, text_of, user
from support.gguf_files import ROOT, TINY

pytestmark = pytest.mark.engine
TEXTS = ("the sea at night", "import os", "a list of names", "def main(", "x = 1", "once upon", "for each", "hello")


NEAR = 0.05
"""Where the two likeliest tokens are so close, a batch of another size, whose logits differ in their last digits, may
choose the other one: what is said from there on is nobody's fault."""


def chosen(at: int) -> Sampling:
    """Greedy, or by the sampler of drawing with a seed, which has one token to draw from."""
    if at % 2:
        return Sampling(max_tokens=12 + at, temperature=0)
    return Sampling(max_tokens=12 + at, temperature=1, top_k=1, seed=at)


async def sure(engine: Engine, at: int) -> str:
    """What a prompt is answered alone, as far as no two tokens are near each other."""
    text = ""
    for event in await heard(engine.complete(TINY, TEXTS[at] * 4, None, replace(chosen(at), logprobs=2))):
        if isinstance(event, Piece):
            if any(best[0][1] - best[1][1] < NEAR for _, _, best in event.logprobs):
                break
            text += event.text
    return text


async def answer(engine: Engine, at: int, lane: Lane = "chat") -> list[Event]:
    return await heard(engine.complete(TINY, TEXTS[at] * 4, None, chosen(at), lane=lane))


@pytest.mark.parametrize("seed", range(3))
async def test_any_interleaving_of_eight_gives_each_the_text_it_gets_alone(engine: Engine, seed: int) -> None:
    alone = [await sure(engine, at) for at in range(8)]
    assert sum(map(len, alone)) > 30
    chance = random.Random(seed)
    order = chance.sample(range(8), 8)
    tasks: dict[int, asyncio.Task[list[Event]]] = {}
    for at in order:
        tasks[at] = asyncio.create_task(answer(engine, at, chance.choice(LANES)))
        for _ in range(chance.randrange(30)):
            await asyncio.sleep(0)
        if chance.random() < 0.5:  # one that comes and leaves
            await begun(engine.complete(TINY, f"{TEXTS[at]} and", None, Sampling(max_tokens=50)))
    answers = {at: await task for at, task in tasks.items()}
    for at in range(8):
        assert text_of(answers[at]).startswith(alone[at])
    for events in answers.values():
        assert sum(isinstance(event, Started) for event in events) == 1
        assert end_of(events) is events[-1]


async def test_a_beginning_that_all_share_is_read_once(engine: Engine) -> None:
    shared = "you are careful and kind and answer in few words " * 8
    answers = await asyncio.gather(
        *(heard(engine.complete(TINY, shared + text, None, Sampling(max_tokens=4))) for text in TEXTS)
    )
    ends = [end_of(events) for events in answers]
    read = sum(end.prompt_tokens - end.cached_tokens for end in ends)
    assert read < 1.6 * max(end.prompt_tokens for end in ends)


async def test_typing_is_answered_while_long_prompts_are_read(engine: Engine) -> None:
    long = [
        asyncio.create_task(heard(engine.chat(TINY, user(f"{at} " + "word and word " * 60), Sampling(max_tokens=200))))
        for at in range(3)
    ]
    await begun(engine.chat(TINY, user("first"), Sampling(max_tokens=4), lane="chat"))
    typed = await heard(engine.complete(TINY, "def main(", None, Sampling(max_tokens=8), lane="inline"))
    assert end_of(typed).output_tokens
    assert not any(task.done() for task in long)
    for task in long:
        assert end_of(await task).output_tokens == 200


async def test_two_answers_are_written_at_the_same_time(engine: Engine) -> None:
    async with aclosing(engine.chat(TINY, user("one"), Sampling(max_tokens=800))) as one:
        await begun(one)
        async with aclosing(engine.chat(TINY, user("other"), Sampling(max_tokens=800))) as other:
            await begun(other)
            assert isinstance(await anext(one), Piece)
            assert isinstance(await anext(other), Piece)


async def test_time_that_is_over_ends_an_answer(engine: Engine) -> None:
    await heard(engine.chat(TINY, user("load"), Sampling(max_tokens=1)))
    with pytest.raises(DeadlineExceeded):
        await heard(engine.chat(TINY, user("x"), Sampling(max_tokens=900), asker=Asker(deadline_s=0.0)))


async def test_a_newer_keystroke_takes_the_place_of_the_older_one(engine: Engine) -> None:
    document = Asker("me", "a.py")
    older = engine.complete(TINY, "def a(", None, Sampling(max_tokens=900, temperature=1, seed=1), asker=document)
    await begun(older)
    newer = await heard(engine.complete(TINY, "def ab(", None, Sampling(max_tokens=4), asker=document))
    assert end_of(newer).output_tokens
    with pytest.raises(Cancelled):
        await heard(older)


def test_logits_in_a_batch_are_those_of_the_sequence_alone(tiny_gguf: Path) -> None:
    script = str(ROOT / "tests" / "support" / "logit_parity.py")
    done = subprocess.run([sys.executable, "-I", script, str(tiny_gguf)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 8
