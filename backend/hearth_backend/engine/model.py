"""A loaded model: what its file says, and the prompts it was trained on."""

import hashlib
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from hearth_backend.engine import native
from hearth_backend.engine.beginnings import LEAST, KeptBeginnings, state_files
from hearth_backend.engine.bounds import Exceeded, bounded
from hearth_backend.engine.cores import Spare
from hearth_backend.engine.fim import FimTokens, fim_prompt, shortened
from hearth_backend.engine.frames import Chat, Complete, Load
from hearth_backend.engine.kvcache import Chunk, common
from hearth_backend.engine.markup import Marker, Markup, fence_for
from hearth_backend.engine.native import AbortFlag, NativeContext, NativeError, NativeModel, NoContext
from hearth_backend.engine.plan import MOST_SPARE, SPARE_BYTES
from hearth_backend.engine.stepcost import StepCost
from hearth_backend.engine.templates import OTHER_FILE, ChatTemplate
from hearth_backend.engine.toolcalls import MARKERS
from hearth_backend.engine.truncation import last_turn
from hearth_backend.engine.truncation import shortened as shortened_conversation
from hearth_shared.errors import BadModelFile, BadRequest

BATCH = 512
SEATS = 16
_MEASURED_ROWS = (1, 4, 2, 8, 16, 3, 6, 12)  # those that decide most first
_MEASURING_S = 0.4
_LONGEST_TOKEN = 64
_MOST_BEGINNINGS = 64
_ROLES = ("system", "developer", "user", "assistant", "tool")
_LEAST_CONTEXT = 256


class Model:
    """A GGUF in memory with its one context; belongs to the child's engine thread."""

    def __init__(self, load: Load, abort: AbortFlag) -> None:
        self.name = load.name
        self._threads = max(load.threads, load.batch_threads)
        self._writing = load.threads
        self._spare = Spare(load.threads, load.batch_threads)
        self._reading = load.batch_threads
        self._pieces: dict[int, tuple[bytes, bool]] = {}
        self._native = NativeModel(load.path, gpu_layers=load.gpu_layers, devices=load.devices, split=load.split)
        self.gpu_layers = self._native.gpu_layers
        context = max(_LEAST_CONTEXT, min(load.context, self._native.trained_context or load.context))
        try:
            self.context = NativeContext(
                self._native,
                abort,
                context=context,
                batch=min(BATCH, context),
                seats=SEATS,
                capacity=context * (1 + self._native.spare_contexts(context, SPARE_BYTES, MOST_SPARE)),
                threads=load.threads,
                batch_threads=load.batch_threads,
                kv_type=load.kv_type,
            )
        except NativeError as error:
            raise NoContext(str(error)) from error
        self.kept: KeptBeginnings | None = None
        if load.states and self.context.shares:
            parameters = (load.kv_type, load.gpu_layers)
            self.kept = KeptBeginnings(self.context, state_files(Path(load.states), Path(load.path), parameters))
        self._beginnings: dict[bytes, list[int]] = {}
        self.test_model = self._native.meta("hearth.test_model") == "true"
        self._bos = self._native.special("bos")
        source = self._native.meta("tokenizer.chat_template")
        self._template = ChatTemplate(source, bos=self._spelled("bos"), eos=self._spelled("eos"))
        self._markup = Markup(self._native.markers(), self._template.source)
        self._fim = FimTokens(*map(self._native.special, ("fim_pre", "fim_suf", "fim_mid", "fim_rep", "fim_sep")))
        self.note = self._template.note

    @property
    def native(self) -> NativeModel:
        return self._native

    def suit_the_machine(self) -> None:
        """Before a batch: read prompts with fewer threads while other programs are busy."""
        reading = self._spare.threads()
        if reading != self._reading:
            self._reading = reading
            self.context.use_threads(self._writing, reading)

    def measure(self, seconds: float = _MEASURING_S) -> StepCost:
        """What a step costs by its rows; about `seconds` of work, more only where a single step takes longer."""
        most = min(SEATS, self.context.batch_size)
        found: dict[int, float] = {}
        over = self._worked() + seconds
        for rows in (rows for rows in _MEASURED_ROWS if rows <= most):
            if found and self._worked() > over:
                break
            found[rows] = min(self._time_of(rows, at) for at in range(_repeats(found, seconds)))
            self.context.forget_all()
        self.context.forget_all()
        return StepCost(found, most)

    def _worked(self) -> float:
        """Seconds that were worked: other programs beside it must not make the measuring end after one row."""
        return time.perf_counter() if self.gpu_layers else time.process_time() / self._threads

    def _time_of(self, rows: int, position: int) -> float:
        token = min(5, self._native.vocabulary - 1)
        chunks = [Chunk(seat, position, (token,)) for seat in range(rows)]
        clock = time.thread_time if self._threads == 1 else time.perf_counter
        begun = clock()
        self.context.decode(chunks)
        self.context.logits()  # a GPU works on until its result is asked for
        return clock() - begun

    def piece(self, token: int) -> bytes:
        """The bytes of a token that was written, remembered."""
        return self.written(token)[0]

    def written(self, token: int) -> tuple[bytes, bool]:
        """The bytes of a token that was written, and whether the model says with it that it is done; remembered."""
        known = self._pieces.get(token)
        if known is None:
            native, marker = self._native, self._native.text(token)
            piece = marker.encode() if marker in MARKERS else native.piece(token)
            known = self._pieces[token] = (piece, native.ends(token))
        return known

    def tokenize(self, text: str) -> list[int]:
        """Tokens of plain text. Raises BadRequest for a text that can fit no context of this model."""
        self._check_size(len(text))
        return self._native.tokenize(text)

    def detokenize(self, tokens: Sequence[int]) -> str:
        """The text of these tokens. Raises BadRequest for a number that is none."""
        if any(not 0 <= token < self._native.vocabulary for token in tokens):
            raise BadRequest("One of the numbers is no token of this model.", "Send what this model's tokenize gave.")
        return b"".join(map(self._native.piece, tokens)).decode("utf-8", "replace")

    def chat_prompt(self, chat: Chat, room: int) -> tuple[list[int], int]:
        """The tokens of a conversation, and how many of its messages were left out for its budget.

        One that is cut leaves `room` tokens for the answer. Raises BadRequest when it is too long all the same.
        """
        _check_roles(chat.messages)
        if chat.budget is None:
            return self._whole_prompt(chat), 0
        most = self._most(chat.budget, room)
        prompt = self._prompt_within(chat, most)
        if prompt is not None:
            return prompt, 0
        found = shortened_conversation(
            chat.messages, lambda messages: self._prompt_within(replace(chat, messages=messages), most)
        )
        if found is None:
            raise self._refusal_of(replace(chat, messages=last_turn(chat.messages)), most)
        return found

    def _refusal_of(self, shortest: Chat, most: int) -> BadRequest:
        """Not even the last turn fits, with what the system says and the tools."""
        text, fence = self._rendered(shortest)
        self._check_size(len(text), "The last message alone")
        tokens = len(self._tokens(text, fence))
        said = f"What cannot be left out of the conversation is {tokens:,} tokens long"
        return self._too_long(said, most, "Send a shorter message, or raise the budget.", tokens=tokens)

    def _most(self, budget: int, room: int) -> int:
        """The tokens a prompt may have that is cut to a budget (0: to the context)."""
        most = self.context.size - min(room, self.context.size // 2) - 1
        return min(budget, most) if budget else most

    def _prompt_within(self, chat: Chat, most: int) -> list[int] | None:
        """None for a conversation that is longer."""
        text, fence = self._rendered(chat)
        if len(text) > most * _LONGEST_TOKEN:
            return None
        prompt = self._tokens(text, fence)
        return prompt if len(prompt) <= most else None

    def _whole_prompt(self, chat: Chat) -> list[int]:
        text, fence = self._rendered(chat)
        self._check_size(len(text))
        prompt = self._tokens(text, fence)
        self._check_room(len(prompt))
        return prompt

    def _rendered(self, chat: Chat) -> tuple[str, str]:
        """The prompt's text, and the fence that keeps markers spelled in messages from being markers."""
        fence = fence_for([chat.messages, chat.tools])
        messages = self._markup.fence(chat.messages, fence)
        tools = self._markup.fence(chat.tools, fence)
        try:
            with bounded():
                return self._template.render(messages, tools), fence
        except Exceeded as error:
            raise BadModelFile(f"The chat template of {self.name} {error}.", OTHER_FILE) from None

    def _tokens(self, text: str, fence: str) -> list[int]:
        tokens = self._with_bos(self._cut(text, fence))
        if not tokens:
            raise BadRequest("The conversation is empty.", "Send a message with text.")
        return tokens

    def beginning(self, chat: Chat, prompt: Sequence[int]) -> int:
        """How many tokens of a conversation's prompt are its system prompt and tools; 0 when they are few."""
        system = list(
            itertools.takewhile(lambda message: message.get("role") in ("system", "developer"), chat.messages)
        )
        if not (system or chat.tools) or len(prompt) < LEAST:
            return 0
        key = hashlib.sha256(json.dumps([system, list(chat.tools)], sort_keys=True).encode()).digest()
        if key not in self._beginnings:
            if len(self._beginnings) >= _MOST_BEGINNINGS:
                self._beginnings.clear()
            # another conversation that begins so: what both have in common belongs to neither's first message
            other = replace(chat, messages=[*system, {"role": "user", "content": "\u00b7"}])
            self._beginnings[key] = self._whole_prompt(other)
        length = common(self._beginnings[key], prompt)
        return length if length >= LEAST and length < len(prompt) else 0

    def forget(self) -> None:
        """Keep nothing of the prompts there were."""
        self._beginnings.clear()

    def opens_thought(self, prompt: Sequence[int]) -> bool:
        """Whether a prompt ends in an opened thought, as the templates of some thinking models leave it."""
        end = b"".join(self.piece(token) for token in prompt[-4:]).decode("utf-8", "replace")
        return end.rstrip().endswith("<think>")

    def completion_prompt(self, complete: Complete, room: int) -> list[int]:
        """The tokens of a text to go on with. For its budget it is shortened at its far ends, and leaves `room` tokens
        for the answer. Raises BadRequest when it may not be cut and is longer than the context."""
        room = self.context.size - 1 if complete.budget is None else self._most(complete.budget, room)
        if complete.budget is None:
            self._check_whole(complete)
        longest = room * _LONGEST_TOKEN  # more characters than this cannot be seen anyway
        prefix = complete.prefix[-longest:]
        if complete.suffix is None or not (complete.suffix or self._fim.usable):
            tokens = shortened(self._native.tokenize(prefix), room)
        else:
            files = [(name, text[:longest]) for name, text in complete.files]
            tokens = fim_prompt(self._fim, self._native.tokenize, prefix, complete.suffix[:longest], files, room)
        tokens = self._with_bos(tokens)
        if not tokens:
            raise BadRequest("There is no text to go on from.", "Send a prefix of at least one character.")
        return tokens

    def _check_whole(self, complete: Complete) -> None:
        """It may not be cut, so it must fit as it is."""
        given = [complete.prefix, complete.suffix or "", *(text for _, text in complete.files)]
        self._check_size(sum(map(len, given)), "The text")
        self._check_room(sum(len(self._native.tokenize(text)) for text in given), "The text")

    def grammar(self, response_format: Mapping[str, Any] | None) -> str | None:
        """The grammar that keeps an answer to the wanted format, or None for plain text."""
        if response_format is None or response_format.get("type") in (None, "text"):
            return None
        if response_format.get("type") == "grammar" and isinstance(grammar := response_format.get("grammar"), str):
            return grammar
        try:
            with bounded():
                return native.json_grammar(_wanted_schema(response_format))
        except Exceeded as error:
            raise BadRequest(f"Turning the JSON schema into a grammar {error}.", "Send a simpler schema.") from None
        except NativeError as error:
            raise BadRequest(f"The JSON schema cannot be followed: {error}.", "Send a simpler schema.") from None

    def _cut(self, prompt: str, fence: str) -> list[int]:
        tokens: list[int] = []
        for part in self._markup.cut(prompt, fence):
            if isinstance(part, Marker):
                tokens.append(part.id)
            else:
                tokens += self._native.tokenize(part)
        return tokens

    def _with_bos(self, tokens: list[int]) -> list[int]:
        if self._bos is None or not self._native.begins_with_bos or tokens[:1] == [self._bos]:
            return tokens
        return [self._bos, *tokens]

    def _spelled(self, name: Any) -> str:
        token = self._native.special(name)
        return "" if token is None else self._native.text(token)

    def _check_size(self, characters: int, what: str = "The conversation") -> None:
        """Before the work of cutting: no token of any known vocabulary is longer on average."""
        if characters > self.context.size * _LONGEST_TOKEN:
            raise self._too_long(f"{what} is {characters:,} characters long")

    def _check_room(self, tokens: int, what: str = "The conversation") -> None:
        if tokens >= self.context.size:
            raise self._too_long(f"{what} is {tokens:,} tokens long", tokens=tokens)

    def _too_long(self, which: str, limit: int = 0, fix: str = "", **data: Any) -> BadRequest:
        """Both numbers; `limit` is the budget where that is less than the context."""
        limit = limit or self.context.size
        return BadRequest(
            f"{which}, and {self.name} reads at most {limit:,} tokens.",
            fix or "Start a new thread, or raise `engine.context` if the model can read more.",
            reason="context_length_exceeded",
            limit=limit,
            **data,
        )


def _check_roles(messages: Sequence[Mapping[str, Any]]) -> None:
    if not messages:
        raise BadRequest("There are no messages.", "Send at least one.")
    for message in messages:
        if message.get("role") not in _ROLES or not isinstance(message.get("content") or "", str):
            raise BadRequest(
                f"A message of the role {message.get('role')!r} cannot be read.",
                f"Roles are {', '.join(_ROLES)}; the content is text.",
            )


def _wanted_schema(response_format: Mapping[str, Any]) -> Mapping[str, Any] | None:
    kind = response_format.get("type")
    if kind == "json_object":
        return None
    named = response_format.get("json_schema")
    schema = cast("Mapping[str, Any]", named).get("schema") if isinstance(named, Mapping) else None
    if kind != "json_schema" or not isinstance(schema, Mapping):
        raise BadRequest(
            f"`response_format` is of the type {kind!r}.",
            "Send text, json_object, json_schema with its schema, or grammar.",
        )
    return cast("Mapping[str, Any]", schema)


def _repeats(found: Mapping[int, float], seconds: float) -> int:
    """Small steps are measured often, for the best of them; large ones twice."""
    return 6 if not found or 6 * max(found.values()) < seconds / 16 else 2
