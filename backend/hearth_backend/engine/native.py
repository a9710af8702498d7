"""llama.cpp: the one door to it. Whatever would abort the process is refused here, before it is asked.

A native abort cannot be caught, so the wrappers hold every argument against the list of what kills: batches over
n_batch, sampling without logits, chains without a selecting sampler, NULL grammars, two threads, a second free.
"""

import contextlib
import ctypes
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

import llama_cpp
import llama_cpp.llama_cpp as _bindings
import numpy as np

from hearth_backend.engine.abortflag import AbortFlag
from hearth_backend.engine.kvcache import Chunk, Decoded, Fault
from hearth_backend.engine.markup import Marker
from hearth_backend.engine.sampling import depth

C = cast("Any", _bindings)  # ctypes functions: their types are checked at run time, by ctypes
pointer_to = cast("Any", ctypes.POINTER)
VERSION: str = llama_cpp.__version__
_INFO, _ERROR = 2, 4  # of ggml's levels of its log
_OFFLOADED = re.compile(rb"offloaded (\d+)/\d+ layers to GPU")
_KV_TYPES = {"f16": 1, "q8_0": 8}  # ggml's numbers
_LONGEST_GRAMMAR, _DEEPEST_GRAMMAR = 262_144, 256
_MOST_VIEWS = 64
# the address alone: making a pointer of it, and that into an array, would cost more than choosing a token
_logits_of = cast("Any", ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32))(
    ("llama_get_logits_ith", C._lib)
)
_said, _offloaded = deque[str](maxlen=16), deque[int](maxlen=1)


class NativeError(Fault):
    """llama.cpp refused, in its own words; the process is well."""


class NoContext(NativeError):
    """The model is there, but no context could be made for it."""


class Misuse(Fault):
    """An argument that would have aborted the process."""


@C.llama_log_callback
def _note(level: int, text: bytes, _data: object) -> None:
    """Of llama.cpp's log, which is the process's: errors, the reason of a refusal, and how many layers a GPU took."""
    if level == _ERROR:
        _said.append(text.decode("utf-8", "replace").strip())
    elif level == _INFO and (found := _OFFLOADED.search(text)):
        _offloaded.append(int(found[1]))


def start() -> bool:
    """Initialise llama.cpp once per process; whether a GPU can take layers."""
    C.llama_log_set(_note, None)
    C.llama_backend_init()
    return bool(C.llama_supports_gpu_offload())


def _device(name: str) -> int | None:
    """The device of that name. The binding does not wrap it, but its library has it."""
    find = C._lib.ggml_backend_dev_by_name
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    return find(name.encode())


def _shares(split: Sequence[int]) -> list[float]:
    """llama.cpp wants shares, and compares each layer's place with their sums: half a layer off the first border, and
    so off all, no rounding moves a layer to the other side."""
    shares = [float(count) for count in split]
    if shares:
        shares[0], shares[-1] = shares[0] - 0.5, shares[-1] + 0.5
    return shares


def _last_words() -> str:
    for line in _said:
        if "error loading model" in line:
            return line.rpartition("error loading model: ")[2]
    return _said[0].partition(": ")[2] or _said[0] if _said else "it said nothing"


def made(make: Callable[[], Any]) -> Any:
    """What llama.cpp makes; NativeError in its own words when that is nothing."""
    _said.clear()
    if not (pointer := make()):
        raise NativeError(_last_words())
    return pointer


class NativeModel:
    """A loaded model and its vocabulary."""

    def __init__(
        self, path: str, *, gpu_layers: int = 0, devices: Sequence[str] = (), split: Sequence[int] = ()
    ) -> None:
        """`devices` are the GPUs that take the layers, () for all of them; `split`: how many layers of all that are
        asked for each takes. `gpu_layers` is then how many they took."""
        _said.clear()
        _offloaded.clear()
        params = C.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        found = [one for name in devices if (one := _device(name))] if gpu_layers else []
        chosen = (ctypes.c_void_p * (len(found) + 1))(*found)  # the last is none, which ends it
        shares = (ctypes.c_float * max(len(split), C.llama_max_devices()))(*_shares(split))
        if found:
            params.devices = ctypes.addressof(chosen)
            if len(split) == len(found) > 1:
                params.tensor_split = shares
        elif gpu_layers == 0:  # then no GPU at all: else it would read prompts, and fail for want of its memory
            params.split_mode, params.main_gpu = C.LLAMA_SPLIT_MODE_NONE, -1
        self.pointer: Any = C.llama_model_load_from_file(path.encode(), params)
        if not self.pointer:
            raise NativeError(_last_words())
        self.gpu_layers = min(gpu_layers, _offloaded[-1]) if _offloaded else 0
        self._vocab: Any = C.llama_model_get_vocab(self.pointer)
        self.vocabulary: int = C.llama_vocab_n_tokens(self._vocab)
        self.trained_context: int = C.llama_model_n_ctx_train(self.pointer)
        if C.llama_model_has_encoder(self.pointer) or not C.llama_model_has_decoder(self.pointer):
            self.close()
            raise NativeError("it is no model that writes text by itself")

    def close(self) -> None:
        if self.pointer:
            C.llama_model_free(self.pointer)
            self.pointer = None

    def spare_contexts(self, context: int, most_bytes: int, most: int) -> int:
        """How many more times `context` tokens fit in so many bytes of KV cache (at 16 bits)."""
        heads = max(1, C.llama_model_n_head(self.pointer))
        width = C.llama_model_n_embd(self.pointer) * max(1, C.llama_model_n_head_kv(self.pointer)) // heads
        each = max(1, 4 * width * C.llama_model_n_layer(self.pointer) * context)
        return min(most, most_bytes // each)

    def meta(self, key: str) -> str:
        """A metadata value as text; empty when it is absent."""
        length = C.llama_model_meta_val_str(self.pointer, key.encode(), None, 0)
        if length < 0:
            return ""
        buffer = ctypes.create_string_buffer(length + 1)
        C.llama_model_meta_val_str(self.pointer, key.encode(), buffer, length + 1)
        return buffer.value.decode("utf-8", "replace")

    def tokenize(self, text: str, *, around: bool = False) -> list[int]:
        """Tokens of plain text: what looks like a control token in it stays text. `around` adds those that the model
        wants before and after a text."""
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 16
        if room >= 1 << 31:
            raise Misuse("the text is too long for llama.cpp")
        buffer = (C.llama_token * room)()
        count = C.llama_tokenize(self._vocab, raw, len(raw), buffer, room, around, False)
        if count < 0:
            raise NativeError(f"the text cannot be cut into tokens ({count})")
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; none for a control token."""
        buffer = ctypes.create_string_buffer(512)
        count = C.llama_token_to_piece(self._vocab, self._checked(token), buffer, 512, 0, False)
        return buffer.raw[:count] if count > 0 else b""

    def text(self, token: int) -> str:
        """A token as it is written in templates."""
        if not 0 <= token < self.vocabulary:
            return ""
        return (C.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    def ends(self, token: int) -> bool:
        """Whether the model says with this token that it is done."""
        return bool(C.llama_vocab_is_eog(self._vocab, self._checked(token)))

    def special(self, name: Literal["bos", "eos", "fim_pre", "fim_suf", "fim_mid", "fim_rep", "fim_sep"]) -> int | None:
        """A special token's id, if the model has it."""
        token = getattr(C, f"llama_vocab_{name}")(self._vocab)
        return token if token >= 0 else None

    @property
    def begins_with_bos(self) -> bool:
        return bool(C.llama_vocab_get_add_bos(self._vocab))

    def markers(self) -> Iterator[Marker]:
        """Tokens that are not plain text."""
        for token in range(self.vocabulary):
            kind = C.llama_vocab_get_attr(self._vocab, token)
            control = bool(kind & C.LLAMA_TOKEN_ATTR_CONTROL)
            if (control or kind & C.LLAMA_TOKEN_ATTR_USER_DEFINED) and (text := self.text(token)):
                before, after = kind & C.LLAMA_TOKEN_ATTR_LSTRIP, kind & C.LLAMA_TOKEN_ATTR_RSTRIP
                yield Marker(token, text, control, bool(before), bool(after))

    def grammar(self, text: str) -> Any:
        """A grammar sampler, never NULL. Raises NativeError when the grammar is not one."""
        raw = text.encode("utf-8", "replace")
        if len(raw) > _LONGEST_GRAMMAR:
            raise NativeError("the grammar is too large")
        if depth(text) > _DEEPEST_GRAMMAR:  # it is read by recursion, and 30,000 levels overflow the stack
            raise NativeError("the grammar is nested too deeply")
        return made(lambda: C.llama_sampler_init_grammar(self._vocab, raw, b"root"))

    def _checked(self, token: int) -> int:
        if not 0 <= token < self.vocabulary:
            raise Misuse(f"there is no token {token}")
        return token


class NativeContext:
    """One context of several sequences that share its cells. Its calls belong to the first thread that makes one."""

    def __init__(
        self,
        model: NativeModel,
        abort: AbortFlag,
        *,
        context: int,
        batch: int,
        threads: int,
        batch_threads: int,
        seats: int = 1,
        capacity: int = 0,
        kv_type: str = "f16",
    ) -> None:
        """`context` is the longest sequence, `capacity` (at least that) the cells for all of them."""
        self.model = model
        self.abort = abort
        self.seats = seats
        params = C.llama_context_default_params()
        params.n_ctx = max(context, capacity)
        params.n_batch = params.n_ubatch = batch
        params.n_seq_max = seats
        params.type_k = params.type_v = _KV_TYPES[kv_type]
        params.kv_unified = True  # copying a part of a sequence aborts the process otherwise
        params.n_threads, params.n_threads_batch = threads, batch_threads
        params.no_perf = True
        params.abort_callback, params.abort_callback_data = self.abort.callback, self.abort.data
        self.pointer: Any = made(lambda: C.llama_init_from_model(model.pointer, params))
        self._memory: Any = C.llama_get_memory(self.pointer)
        if not self._memory:
            self.close()
            raise NativeError("it keeps no memory of what it read")
        self.capacity: int = C.llama_n_ctx(self.pointer)
        self.size: int = min(context, C.llama_n_ctx_seq(self.pointer))
        self.shares = not (C.llama_model_is_recurrent(model.pointer) or C.llama_model_is_hybrid(model.pointer))
        self.batch_size = batch
        self._owner = 0
        self._outputs: frozenset[int] = frozenset()
        self._batch = _Batch(batch, seats)
        self._row: Any = ctypes.c_float * model.vocabulary
        self._views: dict[int, np.ndarray[Any, np.dtype[np.float32]]] = {}

    def close(self) -> None:
        if self.pointer:
            C.llama_free(self.pointer)
            self.pointer = None

    def use_threads(self, writing: int, reading: int) -> None:
        """Compute with this many threads from now on."""
        self._check_owner()
        C.llama_set_n_threads(self.pointer, max(1, writing), max(1, reading))

    def decode(self, chunks: Sequence[Chunk]) -> Decoded:
        """Read the chunks in one batch; afterwards the last row of each that is flagged can be sampled from.

        "full" and "aborted" leave what was known before intact once the caller `forget`s what comes after it.
        """
        self._check_owner()
        self._outputs = frozenset()
        self._check(chunks)
        if self.abort.is_up:  # a GPU's decode does not ask it
            return "aborted"
        batch, outputs = self._batch.fill(chunks)
        code: int = C.llama_decode(self.pointer, batch)
        if code < 0:
            raise NativeError(f"llama_decode answered {code}")
        self._outputs = outputs if code == 0 else frozenset()
        return ("done", "full", "aborted")[min(code, 2)]

    def forget(self, seat: int, start: int) -> bool:
        """Forget a sequence from `start` on; False when this kind of model can only forget all of it."""
        self._check_owner()
        self._check_seat(seat)
        self._outputs = frozenset()
        return bool(C.llama_memory_seq_rm(self._memory, seat, start, -1))

    def copy(self, source: int, target: int, length: int) -> None:
        """Let one sequence begin as another does; the cells are shared, not doubled."""
        self._check_owner()
        self._check_seat(source)
        self._check_seat(target)
        if source == target or length <= 0 or not self.shares:
            raise Misuse("a sequence cannot be copied so")
        C.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def state(self, seat: int) -> bytes:
        """All the context holds of a sequence, to be restored later."""
        self._check_owner()
        self._check_seat(seat)
        size: int = C.llama_state_seq_get_size(self.pointer, seat)
        buffer = (ctypes.c_uint8 * size)()
        return bytes(memoryview(buffer)[: C.llama_state_seq_get_data(self.pointer, buffer, size, seat)])

    def restore(self, seat: int, data: bytes, length: int) -> bool:
        """Put a state of `length` tokens into an empty sequence; False, and empty, when it does not fit.

        The caller vouches for the bytes: they are what `state` gave for this model and these parameters.
        """
        self._check_owner()
        self._check_seat(seat)
        self._outputs = frozenset()
        buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        read: int = C.llama_state_seq_set_data(self.pointer, buffer, len(data), seat)
        if read == len(data) and C.llama_memory_seq_pos_max(self._memory, seat) == length - 1:
            return True
        C.llama_memory_seq_rm(self._memory, seat, -1, -1)
        return False

    def forget_all(self) -> None:
        self._check_owner()
        self._outputs = frozenset()
        C.llama_memory_clear(self._memory, True)

    def logits(self, row: int = -1) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """A view of the logits of a row of the last batch (-1: of its last output), valid until the next."""
        address: int | None = _logits_of(self.pointer, self.output(row))
        if address is None:
            raise NativeError("there is no output to choose from")
        view = self._views.get(address)
        if view is None:  # llama.cpp writes to the same few places again and again
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            view = self._views[address] = np.frombuffer(self._row.from_address(address), np.float32)
        return view

    def likelihoods(self, row: int, token: int, others: int) -> tuple[float, list[tuple[int, float]]]:
        """The logarithm of a token's probability in a row, and the likeliest tokens with theirs."""
        logits = self.logits(row).astype(np.float64)
        logs = logits - logits.max()
        logs -= np.log(np.exp(logs).sum())
        others = min(others, len(logs))
        first = np.argpartition(-logs, others - 1)[:others] if others else np.empty(0, np.int64)
        ordered = first[np.argsort(-logs[first], kind="stable")]
        return float(logs[token]), [(int(other), float(logs[other])) for other in ordered]

    def output(self, row: int) -> int:
        """The row, when it can be sampled from."""
        if row < 0 and self._outputs:
            row = max(self._outputs)
        if row not in self._outputs:
            raise Misuse("nothing was decoded to sample from")
        return row

    def _check(self, chunks: Sequence[Chunk]) -> None:
        total, seen, size, vocabulary = 0, set[int](), self.size, self.model.vocabulary
        for seat, start, tokens, _ in chunks:  # no generators: this is done for every token that is written
            count = len(tokens)
            total += count
            seen.add(seat)
            self._check_seat(seat)
            if not count or not 0 <= start <= size - count:
                raise Misuse(f"{count} tokens at {start} do not fit in {size}")
            if min(tokens) < 0 or max(tokens) >= vocabulary:
                raise Misuse("a token is not in the vocabulary")
        if not 0 < total <= self.batch_size:
            raise Misuse(f"a batch takes 1 to {self.batch_size} tokens")
        if len(seen) < len(chunks):
            raise Misuse("a sequence is in the batch twice")

    def _check_seat(self, seat: int) -> None:
        if not 0 <= seat < self.seats:
            raise Misuse(f"there is no sequence {seat}")

    def _check_owner(self) -> None:
        self._owner = self._owner or threading.get_ident()
        if threading.get_ident() != self._owner or not self.pointer:
            raise Misuse("a context belongs to the thread that uses it, until it is closed")


class _Batch:
    """One llama_batch for life, its columns numpy arrays."""

    def __init__(self, size: int, seats: int) -> None:
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._ids = np.arange(seats, dtype=np.int32)  # what the column of pointers points into
        self._sequences = np.full(size, self._ids.ctypes.data, np.uint64)
        self._outputs = np.zeros(size, np.int8)

        def column(array: Any, kind: Any) -> Any:
            return ctypes.cast(array.ctypes.data, pointer_to(kind))

        self._first_id = self._ids.ctypes.data
        self._batch = C.llama_batch(
            0,
            column(self._tokens, C.llama_token),
            None,
            column(self._positions, C.llama_pos),
            column(self._counts, ctypes.c_int32),
            column(self._sequences, ctypes.POINTER(C.llama_seq_id)),
            column(self._outputs, ctypes.c_int8),
        )

    def fill(self, chunks: Sequence[Chunk]) -> tuple[Any, frozenset[int]]:
        """The batch of these chunks, and the rows flagged for output."""
        at, outputs = 0, list[int]()
        for seat, start, tokens, output in chunks:
            end = at + len(tokens)
            where = at if end - at == 1 else slice(at, end)  # a single value is set at a tenth of a slice's price
            self._tokens[where] = tokens[0] if end - at == 1 else tokens
            self._positions[where] = start if end - at == 1 else np.arange(start, start + end - at)
            self._sequences[where] = self._first_id + 4 * seat
            self._outputs[where] = 0
            if output:
                self._outputs[end - 1] = 1
                outputs.append(end - 1)
            at = end
        self._batch.n_tokens = at
        return self._batch, frozenset(outputs)


def json_grammar(schema: Mapping[str, Any] | None) -> str:
    """The GBNF of any JSON object, or of a JSON schema. Raises NativeError for a schema that cannot be one."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf  # reached by few requests

    with contextlib.suppress(AssertionError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return json_schema_to_gbnf(json.dumps({"type": "object"} if schema is None else schema))
    raise NativeError("the schema uses something that cannot be turned into a grammar")
