"""llama.cpp's embeddings: several texts in one batch, and a vector for each. A part of the one door to llama.cpp.

A BERT that is given more tokens than it has positions, or more than a micro-batch, aborts the process: nothing of that
kind is passed on. `native` alone imports the library.
"""

import ctypes
import threading
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hearth_backend.engine.abortflag import AbortFlag
from hearth_backend.engine.native import C, Misuse, NativeError, NativeModel, NoContext, made

Rows = NDArray[np.float32]
_POOLS: dict[int, str] = {1: "mean", 2: "cls", 3: "last"}


class NativeEmbedding:
    """A context that reads texts and forgets them. Its calls belong to the first thread that makes one."""

    def __init__(self, model: NativeModel, abort: AbortFlag, *, context: int, threads: int, seats: int) -> None:
        """`context` tokens at most are read at once: n_ctx, n_batch and n_ubatch are all that long."""
        self._model = model
        self._abort = abort
        self._owner = 0
        params = C.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = context
        params.n_seq_max = seats
        params.kv_unified = True
        params.embeddings = True
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        params.abort_callback = ctypes.cast(abort.callback, C.ggml_abort_callback)
        params.abort_callback_data = abort.data
        try:
            self.pointer: Any = made(lambda: C.llama_init_from_model(model.pointer, params))
        except NativeError as error:
            raise NoContext(str(error)) from error
        self.size = context
        self.seats = seats
        self.pooling = _POOLS.get(C.llama_pooling_type(self.pointer), "")
        self.width: int = C.llama_model_n_embd_out(model.pointer)
        if not self.pooling or self.width <= 0:
            self.close()
            raise NativeError("it does not say how the vectors of its tokens become one")
        self._memory: Any = C.llama_get_memory(self.pointer)
        self._batch: Any = C.llama_batch_init(context, 0, 1)

    def close(self) -> None:
        if self.pointer:
            C.llama_free(self.pointer)
            self.pointer = None

    def embed(self, texts: Sequence[Sequence[int]]) -> Rows | Literal["aborted"]:
        """A row for each text, L2-normalised. Raises Misuse for what would abort the process."""
        self._check(texts)
        if self._memory:
            C.llama_memory_clear(self._memory, True)
        if self._abort.is_up:
            return "aborted"
        code: int = C.llama_decode(self.pointer, self._filled(texts))
        if code == 2:  # aborted
            return "aborted"
        if code != 0:
            raise NativeError(f"llama_decode answered {code}")
        rows = np.stack([self._row(seat) for seat in range(len(texts))])
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def _row(self, seat: int) -> Rows:
        pointer = C.llama_get_embeddings_seq(self.pointer, seat)
        if not pointer:
            raise NativeError("it made no vector")
        return np.ctypeslib.as_array(pointer, (self.width,)).copy()

    def _filled(self, texts: Sequence[Sequence[int]]) -> Any:
        batch, at = self._batch, 0
        for seat, tokens in enumerate(texts):
            for position, token in enumerate(tokens):
                batch.token[at], batch.pos[at], batch.logits[at] = token, position, 1
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, seat
                at += 1
        batch.n_tokens = at
        return batch

    def _check(self, texts: Sequence[Sequence[int]]) -> None:
        self._owner = self._owner or threading.get_ident()
        if threading.get_ident() != self._owner or not self.pointer:
            raise Misuse("a context belongs to the thread that uses it, until it is closed")
        if not 0 < len(texts) <= self.seats or not all(texts):
            raise Misuse(f"1 to {self.seats} texts are read at once, none of them empty")
        if sum(map(len, texts)) > self.size:
            raise Misuse(f"at most {self.size} tokens are read at once")
        if any(min(tokens) < 0 or max(tokens) >= self._model.vocabulary for tokens in texts):
            raise Misuse("a token is not in the vocabulary")
