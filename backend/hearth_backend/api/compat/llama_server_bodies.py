"""What clients of llama.cpp's own server send: llama.vim and llama.vscode above all. Settings of its cache, slots and
samplers' order are for Hearth's engine to decide and are ignored; what cannot be honoured is refused by name."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hearth_backend.api.compat.bodies import Content, Number
from hearth_backend.gateway.messages import CompletionRequest, Sampling
from hearth_shared.errors import BadRequest


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Extra(_Body):
    """Another piece of the person's code."""

    filename: str = Field(default="", max_length=4096)
    text: Content = ""


class _Going(_Body):
    model: str | None = Field(default=None, max_length=512)
    n_predict: Annotated[int, Field(ge=-1, le=1_000_000)] | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    min_p: Annotated[Number, Field(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    seed: Annotated[int, Field(ge=-1, le=2**63 - 1)] | None = None
    stop: Annotated[list[str], Field(max_length=64)] | None = None
    stream: bool | None = None
    t_max_predict_ms: Annotated[int, Field(ge=-1, le=3_600_000)] | None = None
    grammar: str | None = None
    json_schema: Any = None
    n_probs: int | None = None

    def sampling(self) -> Sampling:
        """For a model; llama-server's -1 means: not set."""
        limit = self.n_predict
        return Sampling(
            max_tokens=limit if limit is not None and limit >= 0 else None,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            min_p=self.min_p,
            frequency_penalty=self.frequency_penalty,
            presence_penalty=self.presence_penalty,
            seed=None if self.seed is None or self.seed < 0 else self.seed,
            stop=tuple(text for text in self.stop or () if text),
        )

    def refuse_what_cannot_be(self) -> None:
        """Raise BadRequest for what would silently be left out."""
        if self.grammar or self.json_schema is not None:
            raise BadRequest(
                "A text cannot be bound to a grammar here.",
                "Ask `/v1/chat/completions` with `response_format`.",
                field="grammar" if self.grammar else "json_schema",
            )
        if self.n_probs:
            raise BadRequest("`n_probs` is not supported here.", "Leave it out.", field="n_probs")

    @property
    def limit_s(self) -> float | None:
        """For how long to write after the first word, in seconds."""
        limit = self.t_max_predict_ms
        return limit / 1000 if limit is not None and limit > 0 else None


class InfillBody(_Going):
    """POST /infill: what stands before and after the cursor, other code, and what was typed on this line."""

    input_prefix: Content = ""
    input_suffix: Content = ""
    input_extra: list[Extra] = Field(default=[], max_length=1024)
    prompt: Content = ""

    def asked(self) -> CompletionRequest:
        """What the gateway is asked. Raises BadRequest for what cannot be honoured."""
        self.refuse_what_cannot_be()
        return CompletionRequest(
            prefix=self.input_prefix + self.prompt,
            suffix=self.input_suffix,
            model=self.model,
            sampling=self.sampling(),
            files=tuple((extra.filename, extra.text) for extra in self.input_extra if extra.text),
        )


class CompletionBody(_Going):
    """POST /completion: a text to go on from."""

    prompt: Content | list[Any] = ""

    def asked(self) -> CompletionRequest:
        """What the gateway is asked. Raises BadRequest for what cannot be honoured."""
        self.refuse_what_cannot_be()
        if not isinstance(self.prompt, str):
            raise BadRequest(
                "`prompt` must be one text.", "Send a string; token ids go through `/detokenize` first.", field="prompt"
            )
        return CompletionRequest(self.prompt, model=self.model, sampling=self.sampling(), budget=None)


class TokenizeBody(_Body):
    """POST /tokenize."""

    content: Content = ""
    model: str = Field(default="", max_length=512)


class DetokenizeBody(_Body):
    """POST /detokenize."""

    tokens: list[int] = Field(default=[], max_length=200_000)
    model: str = Field(default="", max_length=512)
