"""Random ids that say what they name."""

import secrets


def new(kind: str) -> str:
    """`kind` and 80 random bits: unguessable, and readable in a log."""
    return f"{kind}_{secrets.token_hex(10)}"
