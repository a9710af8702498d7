"""llama.cpp's samplers: how the next token is chosen from the logits. A part of the one door to llama.cpp.

A chain without a selecting sampler, a grammar after another sampler, and a token that a grammar forbids abort the
process: nothing of that kind is passed on. `native` alone imports the library.
"""

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hearth_backend.engine.native import C, Misuse, NativeContext, NativeError, NativeModel, pointer_to

_CANDIDATE = np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])


class NativeSampler:
    """A chain that always ends in a selecting sampler, with an optional grammar before it."""

    def __init__(
        self,
        model: NativeModel,
        *,
        temperature: float,
        top_k: int,
        top_p: float,
        min_p: float,
        frequency_penalty: float,
        presence_penalty: float,
        seed: int,
        grammar: str | None = None,
        repeat_penalty: float = 1.0,
        logit_bias: Sequence[tuple[int, float]] = (),
    ) -> None:
        values = (temperature, top_p, min_p, frequency_penalty, presence_penalty, repeat_penalty)
        if not all(map(math.isfinite, values)) or top_k < 0:
            raise Misuse("a sampling value is not a number in its range")
        if any(not 0 <= token < model.vocabulary or not math.isfinite(bias) for token, bias in logit_bias):
            raise NativeError("one of the tokens of logit_bias is none of this model")
        self._grammar: Any = model.grammar(grammar) if grammar is not None else None
        self._one = (C.llama_token_data * 1)()
        self._candidates = np.zeros(model.vocabulary if grammar is not None else 0, _CANDIDATE)
        self._chain: Any = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        if logit_bias:
            biases = (C.llama_logit_bias * len(logit_bias))(*logit_bias)
            self._add(C.llama_sampler_init_logit_bias(model.vocabulary, len(logit_bias), biases))
        if frequency_penalty or presence_penalty or repeat_penalty != 1:
            self._add(
                C.llama_sampler_init_penalties(
                    model.vocabulary, 1 << 16, repeat_penalty, frequency_penalty, presence_penalty
                )
            )
        self._plain = (
            temperature <= 0 and grammar is None and not C.llama_sampler_chain_n(self._chain)
        )  # no list needed
        if temperature <= 0:
            self._add(C.llama_sampler_init_greedy())
            return
        self._add(C.llama_sampler_init_top_k(top_k))
        self._add(C.llama_sampler_init_top_p(top_p, 1))
        self._add(C.llama_sampler_init_min_p(min_p, 1))
        self._add(C.llama_sampler_init_temp(temperature))
        self._add(C.llama_sampler_init_dist(seed % 0xFFFFFFFF))  # the one value left out means "random"

    def _add(self, sampler: Any) -> None:
        if not sampler:
            raise NativeError("llama.cpp made no sampler")
        C.llama_sampler_chain_add(self._chain, sampler)

    def close(self) -> None:
        for sampler in (self._chain, self._grammar):
            if sampler:
                C.llama_sampler_free(sampler)
        self._chain = self._grammar = None

    def sample(self, context: NativeContext, row: int = -1) -> int:
        """The next token, from a row of the last batch. Raises NativeError when the grammar leaves none."""
        if self._plain:
            return int(context.logits(row).argmax())
        if self._grammar is None:
            return C.llama_sampler_sample(self._chain, context.pointer, context.output(row))
        logits = context.logits(row)
        # Asking the grammar about one token costs 1 % of masking the whole vocabulary, and mostly it agrees.
        token = self._choose(logits, masked=False)
        if not self._allowed(token):
            token = self._choose(logits, masked=True)
            if not self._allowed(token):
                raise NativeError("the grammar leaves no token to write")
        C.llama_sampler_accept(self._grammar, token)
        C.llama_sampler_accept(self._chain, token)
        return token

    def _choose(self, logits: "np.ndarray[Any, np.dtype[np.float32]]", *, masked: bool) -> int:
        self._candidates["id"] = np.arange(len(logits), dtype=np.int32)
        self._candidates["logit"] = logits
        self._candidates["p"] = 0
        data = ctypes.cast(self._candidates.ctypes.data, pointer_to(C.llama_token_data))
        array = C.llama_token_data_array(data, len(logits), -1, False)
        if masked:
            C.llama_sampler_apply(self._grammar, ctypes.byref(array))
        C.llama_sampler_apply(self._chain, ctypes.byref(array))
        if not 0 <= array.selected < array.size:
            raise NativeError("no token was selected")
        return array.data[array.selected].id

    def _allowed(self, token: int) -> bool:
        self._one[0].id, self._one[0].logit = token, 1.0
        array = C.llama_token_data_array(self._one, 1, -1, False)
        C.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return self._one[0].logit != -math.inf
