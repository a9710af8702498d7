"""The tool calls of an answer in the making: their text bounded, and read once more when the answer ends."""

import json

from hearth_shared.errors import IncompleteAnswer, ModelFailed

MOST_ARGUMENTS = 256 * 1024


class ToolTexts:
    """Arguments by the index of their call."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def __bool__(self) -> bool:
        return bool(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, index: int, more: str) -> None:
        """Raises ModelFailed for one that is too long to be meant."""
        self._texts[index] = self._texts.get(index, "") + more
        if len(self._texts[index]) > MOST_ARGUMENTS:
            raise ModelFailed("The model wrote a tool call that is too long to be meant.")

    def check(self, *, cut_off: bool) -> None:
        """Raises IncompleteAnswer when a call was cut off or cannot be read."""
        if self._texts and cut_off:
            raise IncompleteAnswer("The model was cut off while it wrote a tool call.")
        for text in self._texts.values():
            try:
                json.loads(text or "{}")
            except ValueError:
                raise IncompleteAnswer("The model wrote a tool call that cannot be read.") from None
