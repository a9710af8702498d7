"""Performs every check it reports, now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from hearth_shared.errors import HearthError
from hearth_shared.protocol.status import Check
from hearth_shared.protocol.status import Doctor as Report

log = logging.getLogger(__name__)
Examine = Callable[[], Awaitable[Check]]


class Doctor:
    """Runs the checks it was given, all at once, and reports them in order.

    A check that raises or does not end in `limit_s` seconds is reported as a fault: nothing is passed over.
    """

    def __init__(self, checks: Mapping[str, Examine], *, limit_s: float = 30) -> None:
        self._checks = dict(checks)
        self._limit_s = limit_s

    async def run(self) -> Report:
        """All checks; `ok` when none found a fault."""
        checks = await asyncio.gather(*(self._one(name, examine) for name, examine in self._checks.items()))
        return Report(ok=all(check.state != "fault" for check in checks), checks=checks)

    async def _one(self, name: str, examine: Examine) -> Check:
        try:
            async with asyncio.timeout(self._limit_s):
                return await examine()
        except HearthError as error:
            return Check(name=name, state="fault", detail=error.detail, fix=error.fix)
        except TimeoutError:
            return Check(name=name, state="fault", detail=f"No answer within {self._limit_s:g} s.", fix=_RESTART)
        except Exception as error:  # the top of a check: a broken check must not hide the others
            log.exception("the check %s failed", name)
            return Check(name=name, state="fault", detail=f"{type(error).__name__}: {error}", fix=_RESTART)


_RESTART = "Restart Hearth with `hearth down` and `hearth up`; `hearth doctor --json` and the log tell more."
