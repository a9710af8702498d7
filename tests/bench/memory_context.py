"""Context assembly: needles planted in long talks are looked for after compaction at 10:1, and budgets are tried.

The talks are made up from a seed: small talk with numbers and names of its own, and needles of six kinds among it (ids,
paths, numbers, decisions, negations, addresses). What is looked for is the needle itself, word for word, in what would
be laid before a model.
"""

import random
from collections.abc import Sequence

from bench.scores import mean
from hearth_backend.agent.compaction import Line, compact, lines_of, rendered
from hearth_backend.agent.context import assemble, cost_of, tokens_of
from hearth_backend.agent.ledger import Ledger
from hearth_backend.agent.transcript import fitted
from hearth_backend.gateway.messages import ChatMessage, ToolCall
from hearth_shared.protocol.tasks import Source
from hearth_shared.protocol.threads import ThreadMessage

TALKS, TURNS, NEEDLES = 20, 240, 18
HISTORIES = 400
KEPT_BAR = 0.95
RULES = "Answer briefly, from what was said."
_OPENINGS = ("By the way,", "Well,", "You know,", "I think", "Yesterday", "To be honest,", "Actually,", "Later")
_SUBJECTS = ("my sister", "the neighbour", "Ana", "our team", "the old man next door", "Bo", "everybody", "the dog")
_DEEDS = (
    "talked about the weather for a while", "was late again and laughed about it", "liked the soup a lot",
    "walked along the river until dark", "told that long story once more", "wanted to go home early",
    "watched a film and fell asleep", "has been busy with the garden", "asked how you are", "made tea for two",
)  # fmt: skip
_ENDINGS = ("and it was fine.", "as usual.", "which was nice.", "I guess.", "and then it rained.", "so what.")
_PLAIN = (
    "It took 20 minutes.",
    "There were 3 of us.",
    "That was in 2019, I think.",
    "What do you think?",
    "Sounds good.",
)


def measure() -> dict[str, float | bool]:
    """Figures by name; those with a bar are truth values."""
    chance = random.Random(11)
    kept, again, pinned = zip(*(_talk(chance) for _ in range(TALKS)), strict=True)
    over = sum(_over(chance) for _ in range(HISTORIES))
    return {
        "context: needles kept at 10:1": mean(kept),
        f"context: needles kept at 10:1 >= {KEPT_BAR}": mean(kept) >= KEPT_BAR,
        "context: compacting again loses no needle": all(again),
        "context: pinned notes are always there": all(pinned),
        f"context: prompts over their budget, of {HISTORIES}": over,
        "context: no prompt is over its budget": over == 0,
    }


def _talk(chance: random.Random) -> tuple[float, bool, bool]:
    """(share of needles kept, whether compacting again lost none, whether what was pinned is there)."""
    said = [_small_talk(chance) for _ in range(TURNS)]
    needles = [_needle(chance, place) for place in range(NEEDLES)]
    for needle in needles:
        place = chance.randrange(TURNS)
        said[place] = f"{said[place]} {needle} {_small_talk(chance)}"
    turns = [_turn(place, text) for place, text in enumerate(said)]
    whole = sum(tokens_of(turn.text) for turn in turns)
    note = f"Pinned: the code is {chance.randrange(10**6):06d}."
    prompt = assemble(RULES, turns, [], "So?", whole // 10, pinned=[note])
    shown = "\n".join(message.content for message in prompt.messages)
    lines = [line for turn in turns for line in lines_of(turn.text, turn.id)]
    tenth = compact(lines, whole // 10, tokens_of)
    kept = mean([needle in rendered(tenth) for needle in needles])
    return kept, _steady(tenth, whole // 10), note in shown


def _steady(lines: Sequence[Line], budget: int) -> bool:
    """A hundred compactions in a row change nothing."""
    now = list(lines)
    for _ in range(100):
        now = compact(now, budget, tokens_of)
    return now == list(lines)


def _over(chance: random.Random) -> int:
    """Whether a random history, passages and tool results make a prompt too long: 1 or 0."""
    budget = chance.randrange(400, 8000)
    history = [_turn(place, _words(chance, 400)) for place in range(chance.randrange(40))]
    sources = [
        Source(n=0, kind="memory", id=str(place), title="x", quote=_words(chance, 900))
        for place in range(chance.randrange(12))
    ]
    prompt = assemble(
        RULES,
        history,
        Ledger().add(sources),
        _words(chance, 60),
        budget,
        pinned=[_words(chance, 40)],
        at_hand=[_words(chance, 900) for _ in range(chance.randrange(4))],
        background=Ledger().lay_behind(sources),
    )
    calls = _calls(chance)
    messages = fitted(prompt.messages, calls, budget + 300, cost_of)
    paired = [call.id for message in messages for call in message.tool_calls]
    answered = [message.tool_call_id for message in messages if message.role == "tool"]
    too_long = sum(map(cost_of, prompt.messages)) > budget or sum(map(cost_of, messages)) > budget + 300
    return int(too_long or paired != answered or messages[: len(prompt.messages)][-1].role == "system")


def _calls(chance: random.Random) -> list[ChatMessage]:
    messages: list[ChatMessage] = []
    for place in range(chance.randrange(4)):
        messages.append(ChatMessage("assistant", "", (ToolCall(f"c{place}", "look", "{}"),)))
        messages.append(ChatMessage("tool", _words(chance, 3000), tool_call_id=f"c{place}", name="look"))
    return messages


def _turn(place: int, text: str) -> ThreadMessage:
    role = "assistant" if place % 2 else "user"
    return ThreadMessage(id=f"msg_{place:06d}", role=role, text=text, created_at=0)


def _words(chance: random.Random, most: int) -> str:
    return " ".join(chance.choice(_DEEDS) for _ in range(chance.randrange(1, max(2, most // 5))))


def _small_talk(chance: random.Random) -> str:
    said = [
        f"{chance.choice(_OPENINGS)} {chance.choice(_SUBJECTS)} {chance.choice(_DEEDS)} {chance.choice(_ENDINGS)}"
        for _ in range(chance.randrange(2, 5))
    ]
    return " ".join([*said, *([chance.choice(_PLAIN)] if chance.random() < 0.3 else [])])


def _needle(chance: random.Random, place: int) -> str:
    number = chance.randrange(1000, 10**6)
    return (
        f"The ticket for it is OPS-{number}.",
        f"It lies in /srv/share/{chance.choice(('plans', 'bills', 'photos'))}/{number}.pdf now.",
        f"The bill came to {number / 100:,.2f} € in the end.",
        f"We decided to take the {chance.choice(('green', 'wooden', 'cheaper'))} one from shop {number}.",
        f"Never open valve {number} while the pump runs.",
        f"Write to box{number}@example.org about it.",
    )[place % 6]
