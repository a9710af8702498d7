"""How many tokens a text takes."""

from hearth_backend.engine.client import Engine
from hearth_backend.gateway.dialect import estimated_tokens
from hearth_shared.errors import HearthError


async def count_tokens(engine: Engine, model: str, text: str) -> int:
    """Counted by the named model of this machine, else by its default one; estimated where there is neither."""
    for name in dict.fromkeys((model, "")):
        try:
            return len(await engine.tokenize(name, text))
        except HearthError:
            continue
    return estimated_tokens(len(text))
