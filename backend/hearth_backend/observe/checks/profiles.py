"""Whether every profile's file is used."""

from collections.abc import Sequence

from hearth_shared.protocol.status import Check


async def profiles(names: Sequence[str], problems: Sequence[str]) -> Check:
    """`problems` name files and lines."""
    if problems:
        return Check(name="profiles", state="warn", detail=" ".join(problems), fix="`hearth tasks agents` lists them.")
    return Check(name="profiles", state="ok", detail=f"{', '.join(names)}.")
