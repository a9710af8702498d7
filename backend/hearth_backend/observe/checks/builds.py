"""Which build of llama.cpp is used, on which device, and what is wrong with the others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from hearth_shared.protocol.status import Check


class BuildSeen(NamedTuple):
    """A build that was tried: `gpu` is the device it would use, `problem` why it cannot be used."""

    name: str
    chosen: bool
    gpu: str = ""
    problem: str = ""


async def builds(look: Callable[[], Awaitable[Sequence[BuildSeen]]]) -> Check:
    """Try every build in a child process."""
    seen = await look()
    broken = [one for one in seen if one.problem]
    if broken:
        detail = " ".join(f"The {one.name} build is not used: {one.problem}." for one in broken)
        fix = "Is its driver installed? `hearth engine list` shows all of them, `hearth engine install` makes one anew."
        return Check(name="GPU", state="warn", detail=detail, fix=fix)
    used = next((one for one in seen if one.chosen and one.gpu), None)
    if used is not None:
        return Check(name="GPU", state="ok", detail=f"The {used.name} build uses {used.gpu}.")
    return Check(name="GPU", state="ok", detail="No build here finds a GPU: models run on the processor.")
