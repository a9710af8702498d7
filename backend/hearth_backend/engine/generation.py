"""One answer as it is written: each token sampled, turned into text, and told."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from hearth_backend.engine.frames import Ask, Chat, Complete, Ended, Event, Failed, Piece, Started
from hearth_backend.engine.model import Model
from hearth_backend.engine.native import NativeError
from hearth_backend.engine.native_sampler import NativeSampler
from hearth_backend.engine.sampling import Sampling, TextStream
from hearth_backend.engine.scheduler import Job
from hearth_shared.errors import BadRequest, HearthError, ModelFailed


@dataclass(frozen=True, slots=True)
class Defaults:
    """What the engine chooses where a request leaves it the choice."""

    max_tokens: int
    temperature: float
    room: int  # tokens of the context that a prompt which is cut leaves for the answer


FOR_CHAT = Defaults(max_tokens=1 << 20, temperature=0.7, room=1024)
FOR_COMPLETION = Defaults(max_tokens=128, temperature=0.2, room=128)


Say = Callable[[Event | Failed], object]


def job_of(model: Model, ask: Ask, say: Say) -> Job:
    """The job of a task that writes. Raises BadRequest or BadModelFile for what cannot be asked."""
    match ask.task:
        case Chat() as chat:
            sampling = chat.sampling
            prompt, left_out = model.chat_prompt(chat, sampling.max_tokens or FOR_CHAT.room)
            grammar = model.grammar(chat.response_format)
            thinking = model.opens_thought(prompt)
            voice = Answering(
                model, len(prompt), sampling, FOR_CHAT, say, grammar=grammar, thinking=thinking, left_out=left_out
            )
        case Complete() as complete:
            sampling = complete.sampling
            prompt = model.completion_prompt(complete, sampling.max_tokens or FOR_COMPLETION.room)
            voice = Answering(model, len(prompt), sampling, FOR_COMPLETION, say)
        case _:
            raise BadRequest("This task writes nothing.")
    deadline = None if ask.deadline_s is None else time.monotonic() + ask.deadline_s
    exact = sampling.seed is not None
    beginning = model.beginning(ask.task, prompt) if model.kept and isinstance(ask.task, Chat) else 0
    return Job(ask.id, ask.lane, prompt, voice, ask.owner, ask.document, deadline, exact, beginning)


class Answering:
    """The voice of one request: tells Started, Pieces and Ended (or Failed) to `say`."""

    def __init__(
        self,
        model: Model,
        prompt_tokens: int,
        sampling: Sampling,
        defaults: Defaults,
        say: Say,
        *,
        grammar: str | None = None,
        thinking: bool = False,
        left_out: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Raises BadRequest for a grammar that is none."""
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._limit = min(sampling.max_tokens or defaults.max_tokens, model.context.size - prompt_tokens)
        self._say = say
        self._thinking = thinking
        self._left_out = left_out
        self._logprobs = sampling.logprobs
        self._likely: list[tuple[str, float, list[tuple[str, float]]]] = []
        self._clock = clock
        self._text = TextStream(sampling.stop)
        self._sampler = _sampler(model, sampling, defaults, grammar)
        self._cached = self._written = 0
        self._begun = self._read = 0.0

    def begin(self, cached: int) -> None:
        """The prompt is being read."""
        model = self._model
        self._begun, self._cached = self._clock(), cached
        self._say(Started(model.name, self._prompt_tokens, cached, model.gpu_layers, model.test_model, self._thinking))

    def choose(self, row: int) -> int | None:
        """Sample the next token and tell its text; None at the end of the answer."""
        self._read = self._read or self._clock()
        try:
            token = self._sampler.sample(self._model.context, row)
        except NativeError as error:
            raise ModelFailed(
                f"{self._model.name} could not go on: {error}.", "Ask again, or in another format."
            ) from error
        spelled, ends = self._model.written(token)
        if ends:
            return self._finish("stop")
        self._written += 1
        if self._logprobs is not None:
            self._likely.append(self._likelihood(row, token, self._logprobs))
        if piece := self._text.push(spelled):
            self._tell(piece)
        if self._text.stopped:
            return self._finish("stop")
        return self._finish("length") if self._written >= self._limit else token

    def fail(self, error: HearthError) -> None:
        """The answer ends with an error."""
        self._say(Failed(error.code, error.detail, error.fix, error.data))
        self.drop()

    def drop(self) -> None:
        """Free what sampling took."""
        self._sampler.close()

    def _tell(self, text: str) -> None:
        self._say(Piece(text, tuple(self._likely)))
        self._likely.clear()

    def _likelihood(self, row: int, token: int, others: int) -> tuple[str, float, list[tuple[str, float]]]:
        own, likeliest = self._model.context.likelihoods(row, token, others)
        return self._spelled(token), own, [(self._spelled(other), value) for other, value in likeliest]

    def _spelled(self, token: int) -> str:
        return self._model.piece(token).decode("utf-8", "surrogateescape")

    def _finish(self, reason: str) -> None:
        if (rest := self._text.finish()) or self._likely:
            self._tell(rest)
        now = self._clock()
        self._say(
            Ended(
                "length" if reason == "length" else "stop",
                self._prompt_tokens,
                self._written,
                self._cached,
                self._read - self._begun,
                now - self._read,
                self._left_out,
            )
        )
        self.drop()


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
            repeat_penalty=_given(sampling.repeat_penalty, 1.0),
            logit_bias=sampling.logit_bias,
        )
    except NativeError as error:
        what, fix = ("format", "Send a simpler one.") if grammar else ("sampling", "Leave `logit_bias` out.")
        raise BadRequest(f"The wanted {what} cannot be followed: {error}.", fix) from error


def _given(value: float | None, default: float) -> float:
    return default if value is None else value
