"""How much an answer may hold before it is no answer any more."""

from hearth_shared.errors import ModelFailed

MOST_TEXT = 8 * 1024 * 1024


class TextBound:
    """Counts the characters of an answer."""

    def __init__(self) -> None:
        self.length = 0

    def counted(self, text: str) -> str:
        """The text, once it is counted. Raises ModelFailed when the answer is too long to be meant."""
        self.length += len(text)
        if self.length > MOST_TEXT:
            raise ModelFailed("The model's answer is too long to be meant.", "Ask for less, or set max_tokens.")
        return text
