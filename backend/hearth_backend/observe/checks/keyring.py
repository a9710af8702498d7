"""The system's keyring: a secret goes in, comes out, and is gone again."""

import asyncio
import secrets
from typing import Protocol

from pydantic import SecretStr

from hearth_shared.errors import KeyringUnavailable
from hearth_shared.protocol.status import Check

PROBE = "doctor-probe"


class Keeper(Protocol):
    """Where secrets are kept; a call may wait for the keyring."""

    def get(self, name: str) -> SecretStr | None: ...

    def set(self, name: str, value: SecretStr) -> object: ...

    def delete(self, name: str) -> object: ...


async def keyring(keeper: Keeper) -> Check:
    """Store a random probe under a name of its own, read it, delete it."""
    try:
        kept = await asyncio.to_thread(_round_trip, keeper)
    except KeyringUnavailable as error:
        return Check(name="keyring", state="warn", detail=error.detail, fix=error.fix)
    if not kept:
        detail = "The keyring did not give back what it was given, or did not let it go."
        fix = "Unlock it, or give keys by environment: HEARTH_KEY_<PROVIDER>."
        return Check(name="keyring", state="fault", detail=detail, fix=fix)
    return Check(name="keyring", state="ok", detail="A probe was stored, read and deleted.")


def _round_trip(keeper: Keeper) -> bool:
    value = secrets.token_hex(8)
    keeper.set(PROBE, SecretStr(value))
    found = keeper.get(PROBE)
    keeper.delete(PROBE)
    return found is not None and found.get_secret_value() == value and keeper.get(PROBE) is None
