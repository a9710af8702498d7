"""Times as a person types them."""

from datetime import datetime

from hearth_shared.errors import BadRequest


def moment(text: str) -> str:
    """A day or a time as a person writes it; without a zone it is the local one."""
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise BadRequest(f"{text} is no time.", "Write 2025-05-01, or 2025-05-01T14:30.") from error
