"""The system's keyring: a secret goes in, comes out, and is gone again."""

import secrets
from typing import Protocol

from pydantic import SecretStr

from hearth_shared.errors import KeyringUnavailable
from hearth_shared.protocol.status import Check

PROBE = "doctor-probe"


class Keeper(Protocol):
    """Where secrets are kept."""

    async def get(self, name: str) -> SecretStr | None: ...

    async def set(self, name: str, value: SecretStr) -> object: ...

    async def delete(self, name: str) -> object: ...


async def keyring(keeper: Keeper) -> Check:
    """Store a random probe under a name of its own, read it, delete it."""
    value = secrets.token_hex(8)
    try:
        await keeper.set(PROBE, SecretStr(value))
        found = await keeper.get(PROBE)
        await keeper.delete(PROBE)
        gone = await keeper.get(PROBE) is None
    except KeyringUnavailable as error:
        fix = error.fix or "Without one, give keys by environment: HEARTH_KEY_<NAME>."
        return Check(name="keyring", state="warn", detail=error.detail, fix=fix)
    if found is None or found.get_secret_value() != value or not gone:
        detail = "The keyring did not give back what it was given, or did not let it go."
        fix = "Unlock it, or give keys by environment: HEARTH_KEY_<NAME>."
        return Check(name="keyring", state="fault", detail=detail, fix=fix)
    return Check(name="keyring", state="ok", detail="A probe was stored, read and deleted.")
