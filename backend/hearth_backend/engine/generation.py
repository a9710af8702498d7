"""Writes one answer, token by token."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hearth_backend.engine.frames import Ended, Event, Piece, Started
from hearth_backend.engine.model import Model
from hearth_backend.engine.native import NativeError, NativeSampler
from hearth_backend.engine.sampling import Sampling, TextStream
from hearth_backend.engine.sequence import Read, Sequence
from hearth_shared.errors import BadRequest, ModelFailed


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the engine chooses where a request leaves it the choice."""

    max_tokens: int
    temperature: float


FOR_CHAT = Defaults(max_tokens=1 << 20, temperature=0.7)
FOR_COMPLETION = Defaults(max_tokens=128, temperature=0.2)


class Stopped(Exception):
    """The task was cancelled; nothing more is said about it."""


class Writer:
    """Answers one prompt after another on a model, keeping what they share."""

    def __init__(self, model: Model, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._model = model
        self._sequence = Sequence(model.context)
        self._clock = clock

    def answer(
        self, prompt: list[int], sampling: Sampling, defaults: Defaults, grammar: str | None = None
    ) -> Iterator[Event]:
        """The events of an answer. Raises Stopped when the context's abort flag goes up."""
        sampler = _sampler(self._model, sampling, defaults, grammar)
        try:
            begun = self._clock()
            cached = self._sequence.keep(prompt, exact=sampling.seed is not None)
            yield Started(self._model.name, len(prompt), cached, self._model.gpu_layers, self._model.test_model)
            _proceed(self._sequence.read(prompt))
            read = self._clock()
            limit = min(sampling.max_tokens or defaults.max_tokens, self._model.context.size - len(prompt))
            text = TextStream(sampling.stop)
            written = 0
            for piece, count in self._write(sampler, text, limit):
                written = count
                if piece:
                    yield Piece(piece)
            if rest := text.finish():
                yield Piece(rest)
            reason = "length" if written == limit and not text.stopped else "stop"
            yield Ended(reason, len(prompt), written, cached, read - begun, self._clock() - read)
        finally:
            sampler.close()

    def _write(self, sampler: NativeSampler, text: TextStream, limit: int) -> Iterator[tuple[str, int]]:
        """Each new piece of text with the number of tokens written so far."""
        native, context = self._model.native, self._model.context
        for written in range(1, limit + 1):
            if context.abort.is_up:  # a GPU's decode does not ask it
                raise Stopped
            token = _sample(sampler, self._model)
            if native.ends(token):
                yield "", written - 1
                return
            yield text.push(native.piece(token)), written
            if text.stopped or written == limit:
                return
            _proceed(self._sequence.write(token))


def _sampler(model: Model, sampling: Sampling, defaults: Defaults, grammar: str | None) -> NativeSampler:
    seed = sampling.seed if sampling.seed is not None else secrets.randbits(31)
    try:
        return NativeSampler(
            model.native,
            temperature=_given(sampling.temperature, defaults.temperature),
            top_k=40 if sampling.top_k is None else sampling.top_k,
            top_p=_given(sampling.top_p, 0.95),
            min_p=_given(sampling.min_p, 0.05),
            frequency_penalty=_given(sampling.frequency_penalty, 0.0),
            presence_penalty=_given(sampling.presence_penalty, 0.0),
            seed=seed,
            grammar=grammar,
        )
    except NativeError as error:
        raise BadRequest(f"The wanted format cannot be followed: {error}.", "Send a simpler schema.") from error


def _sample(sampler: NativeSampler, model: Model) -> int:
    try:
        return sampler.sample(model.context)
    except NativeError as error:
        raise ModelFailed(f"{model.name} could not go on: {error}.", "Ask again, or in another format.") from error


def _proceed(outcome: Read) -> None:
    if outcome == "aborted":
        raise Stopped
    if outcome == "full":
        raise ModelFailed("The context is full.", "Start a new thread, or raise `engine.context`.")


def _given(value: float | None, default: float) -> float:
    return default if value is None else value
