"""How the next token is chosen, and how tokens become text that may be shown."""

import codecs
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hearth_shared.errors import BadRequest

MOST_STOPS = 16
MOST_BIASES = 1024
LONGEST_STOP = 256


@dataclass(frozen=True, slots=True)
class Sampling:
    """None leaves the choice to the engine. A seed gives the same text for the same prompt on the same machine.

    `logit_bias` adds to the logits of tokens; `logprobs` asks for the likelihood of each token written, and of so many
    others in its place.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    repeat_penalty: float | None = None
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int | None = None

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value: float | None = getattr(self, name)
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise BadRequest(f"`{name}` is {value}.", f"Choose a number from {low:g} to {high:g}.")
        if len(self.logit_bias) > MOST_BIASES or any(
            token < 0 or not (math.isfinite(bias) and abs(bias) <= 100) for token, bias in self.logit_bias
        ):
            raise BadRequest(
                "`logit_bias` holds too many tokens, a negative one or a value out of range.",
                f"Give at most {MOST_BIASES} tokens, each a value from -100 to 100.",
            )
        if len(self.stop) > MOST_STOPS or any(not 0 < len(text) <= LONGEST_STOP for text in self.stop):
            raise BadRequest(
                "`stop` holds too many texts, an empty one or a very long one.",
                f"Give at most {MOST_STOPS}, each of 1 to {LONGEST_STOP} characters.",
            )


_RANGES = (
    ("max_tokens", 1, 1_048_576),
    ("temperature", 0, 5),
    ("top_p", 0, 1),
    ("top_k", 0, 1_000_000),
    ("min_p", 0, 1),
    ("frequency_penalty", -2, 2),
    ("presence_penalty", -2, 2),
    ("seed", -(2**63), 2**64),
    ("repeat_penalty", 0.1, 10),
    ("logprobs", 0, 20),
)


class TextStream:
    """Joins token bytes into text: nothing is passed on that ends in half a character or half a stop text."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._half = False  # whether the last bytes were the beginning of a character
        self.stopped = False

    def push(self, piece: bytes) -> str:
        """The text that may be shown now; after a stop text was met, `stopped` is true and all is said."""
        if not self._half and piece.isascii():
            text = piece.decode("ascii")
        else:
            text = self._decoder.decode(piece)
            self._half = bool(self._decoder.getstate()[0])
        if not self._stops:
            return text
        text, self._held = self._held + text, ""
        cuts = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if cuts:
            self.stopped = True
            return text[: min(cuts)]
        keep = max(_overlap(text, stop) for stop in self._stops)
        text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        return text

    def finish(self) -> str:
        """What was still held back when the answer ended without a stop text."""
        return "" if self.stopped else self._held + self._decoder.decode(b"", True)


def depth(grammar: str) -> int:
    """How deeply a grammar's brackets are nested, those in its quoted texts counted too."""
    opened = deepest = 0
    for sign in grammar:
        if sign == "(":
            opened += 1
            deepest = max(deepest, opened)
        elif sign == ")":
            opened -= 1
    return deepest


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` with which `stop` begins."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
