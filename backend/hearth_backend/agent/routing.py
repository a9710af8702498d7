"""Which agent a request goes to when it names none: by the profiles' words, else by likeness to their examples, else a
model is asked; whatever decided is said."""

import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from hearth_backend.agent.profiles import Profile
from hearth_backend.gateway.messages import Caller, ChatMessage, ChatRequest, Models, Sampling, TextDelta
from hearth_shared.errors import HearthError
from hearth_shared.protocol.tasks import Routed

AUTO: Final = "auto"
DEFAULT: Final = "assistant"
_LIKE, _CLEARLY = 0.45, 0.08
_ASKED: Final = 2000
_CHOOSE: Final = "Which agent fits the request? Answer with its name alone.\n"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like one of a profile's examples a request is, from -1 to 1."""

    agent_id: str
    value: float
    example: str


def by_rule(goal: str, agents: Mapping[str, Profile]) -> Routed | None:
    """The profile with most of its words in the goal, unless two have as many. Pure."""
    found = {id: _words(goal, profile.routes.words) for id, profile in agents.items()}
    best = sorted(found, key=lambda id: len(found[id]), reverse=True)[:2]
    if not best or not found[best[0]] or (len(best) > 1 and len(found[best[0]]) == len(found[best[1]])):
        return None
    return Routed(agent_id=best[0], how="rule", why=f"it says {', '.join(found[best[0]])}")


def by_likeness(found: Sequence[Likeness]) -> Routed | None:
    """The profile whose example is most like the goal, if it is like enough and no other is nearly as like. Pure."""
    best = _best(found)
    if not best or best[0].value < _LIKE or (len(best) > 1 and best[0].value - best[1].value < _CLEARLY):
        return None
    return Routed(agent_id=best[0].agent_id, how="likeness", why=f"it is like: {best[0].example}")


def named(answer: str, agents: Mapping[str, Profile]) -> str | None:
    """The one agent that a model's answer names. Pure."""
    said = {id for id in agents if re.search(rf"\b{re.escape(id)}\b", answer, re.IGNORECASE)}
    return said.pop() if len(said) == 1 else None


class Router:
    """Asks no more than it has to: nobody, then the embedder, then a language model."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def route(self, goal: str, agents: Mapping[str, Profile], caller: Caller) -> Routed:
        """Always an agent; the default one when nothing decides."""
        if rule := by_rule(goal, agents):
            return rule
        try:
            found = await self._likeness(goal[:_ASKED], agents, caller)
            if routed := by_likeness(found):
                return routed
            between = [one.agent_id for one in _best(found) if one.value >= _LIKE]
            if len(between) > 1 and (chosen := await self._ask(goal[:_ASKED], agents, between, caller)):
                return Routed(agent_id=chosen, how="model", why=f"a model chose between {' and '.join(between[:2])}")
        except HearthError as error:
            return Routed(agent_id=DEFAULT, how="default", why=f"no word decides, and nothing else can: {error.detail}")
        return Routed(agent_id=DEFAULT, how="default", why="no profile's words or examples fit")

    async def _likeness(self, goal: str, agents: Mapping[str, Profile], caller: Caller) -> list[Likeness]:
        examples = [(id, example) for id, profile in agents.items() for example in profile.routes.examples]
        if not examples:
            return []
        texts = [goal, *(example for _, example in examples)]
        asked, *others = (await self._models.embed(texts, None, caller)).vectors
        return [
            Likeness(id, sum(a * b for a, b in zip(asked, vector, strict=True)), example)
            for (id, example), vector in zip(examples, others, strict=True)
        ]

    async def _ask(
        self, goal: str, agents: Mapping[str, Profile], between: Sequence[str], caller: Caller
    ) -> str | None:
        listed = "\n".join(f"{id}: {agents[id].description}" for id in between)
        request = ChatRequest(
            [ChatMessage("system", f"{_CHOOSE}{listed}"), ChatMessage("user", goal)], sampling=Sampling(max_tokens=12)
        )
        said = ""
        async with aclosing(self._models.chat(request, caller)) as events:
            async for event in events:
                said += event.text if isinstance(event, TextDelta) else ""
        return named(said, {id: agents[id] for id in between})


def _words(goal: str, words: Sequence[str]) -> list[str]:
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", goal, re.IGNORECASE)]


def _best(found: Sequence[Likeness]) -> list[Likeness]:
    """Of each profile the likest example, the best first."""
    best: dict[str, Likeness] = {}
    for one in found:
        if one.agent_id not in best or best[one.agent_id].value < one.value:
            best[one.agent_id] = one
    return sorted(best.values(), key=lambda one: one.value, reverse=True)
