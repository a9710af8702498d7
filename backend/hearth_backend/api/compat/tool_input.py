"""What a model wrote as a tool's arguments, as the object that some dialects want instead of its text."""

import json
from typing import Any, cast

from hearth_shared.protocol.base import Json


def as_object(arguments: str) -> Json:
    """The object. What is none, because the model wrote something else, gets through under a name of its own."""
    try:
        found: Any = json.loads(arguments or "{}")
    except ValueError:
        return {"arguments": arguments}
    return cast("Json", found) if isinstance(found, dict) else {"arguments": found}
