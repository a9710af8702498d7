"""A guard that does as it is told, and notes what it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hearth_backend.agent.guard import Effect, Go, Refused, Verdict
from hearth_backend.agent.run_view import RunView


@dataclass
class ScriptedGuard:
    """Answers with the next of `verdicts`, or with leave for what was asked; one that is an exception is raised."""

    verdicts: list[Verdict | BaseException] = field(default_factory=list[Verdict | BaseException])
    settled: list[Verdict | BaseException] = field(default_factory=list[Verdict | BaseException])
    watched: frozenset[str] = frozenset()
    asked: list[Effect] = field(default_factory=list[Effect])
    unknown: list[Effect] = field(default_factory=list[Effect])

    def watches(self, run: RunView, tool: str, args: Mapping[str, Any]) -> bool:
        return tool in self.watched

    async def ask(self, effect: Effect) -> Verdict:
        self.asked.append(effect)
        return _next(self.verdicts, effect)

    async def settle(self, effect: Effect) -> Verdict:
        self.unknown.append(effect)
        return _next(self.settled, effect)


def _next(verdicts: list[Verdict | BaseException], effect: Effect) -> Go | Refused:
    if not verdicts:
        return Go(effect.args)
    verdict = verdicts.pop(0)
    if isinstance(verdict, BaseException):
        raise verdict
    return verdict
