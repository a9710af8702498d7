"""Where a JSON value that comes piece by piece ends."""


class JsonSpan:
    """Follows an object or array through its pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_text = False
        self._escaped = False

    def end(self, piece: str) -> int | None:
        """Where in this piece the value ends (behind its last bracket); None when it goes on."""
        for at, character in enumerate(piece):
            if self._in_text:
                self._within_text(character)
            elif character == '"':
                self._in_text = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    return at + 1
        return None

    def _within_text(self, character: str) -> None:
        if self._escaped:
            self._escaped = False
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._in_text = False
