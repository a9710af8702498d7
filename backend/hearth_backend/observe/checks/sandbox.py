"""Whether commands of agents can be held: every way out is tried again, now."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from hearth_shared.protocol.status import Check


class Held(NamedTuple):
    """`why_off` is empty while it holds; `tried` is how many ways out are shut."""

    why_off: str
    fix: str
    tried: int


async def sandbox(attempt: Callable[[], Awaitable[Held]]) -> Check:
    """Run the attacks inside it."""
    held = await attempt()
    if held.why_off:
        detail = f"Shell and Python are off for agents: {held.why_off}. Everything else works."
        return Check(name="sandbox", state="warn", detail=detail, fix=held.fix)
    return Check(name="sandbox", state="ok", detail=f"{held.tried} ways out of it were tried, and are shut.")


async def policy(problem: str, count: int) -> Check:
    """Whether the rules can be read."""
    if problem:
        detail = f"{problem}. Until it is mended everything asks."
        return Check(name="policy", state="warn", detail=detail, fix="Correct that line in policy.toml.")
    return Check(name="policy", state="ok", detail=f"{count} rules in policy.toml.")
