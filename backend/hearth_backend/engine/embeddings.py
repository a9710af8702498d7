"""A GGUF embedding model at work in an engine child: texts in, vectors out, nothing kept of them."""

import base64
import threading
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from hearth_backend.engine.abortflag import AbortFlag
from hearth_backend.engine.frames import (
    Answer,
    Ask,
    Embed,
    Failed,
    Forget,
    Forgotten,
    Load,
    Ready,
    Tokenize,
    Tokens,
    Vectors,
)
from hearth_backend.engine.kvcache import Fault
from hearth_backend.engine.mailbox import Mailbox
from hearth_backend.engine.native import NativeModel
from hearth_backend.engine.native_embedding import NativeEmbedding, Rows
from hearth_shared.errors import BadRequest, ModelFailed

_SEATS = 16
_LONGEST_TOKEN = 64


class EmbeddingModel:
    """A loaded model; what is longer than it reads is cut, by tokens, before llama.cpp sees it."""

    def __init__(self, load: Load, abort: AbortFlag) -> None:
        self.name = load.name
        self.native = NativeModel(load.path, gpu_layers=load.gpu_layers, devices=load.devices, split=load.split)
        size = min(load.context, self.native.trained_context or load.context)
        self.context = NativeEmbedding(self.native, abort, context=size, threads=load.threads, seats=_SEATS)
        self._head, self._tail = _around(self.native)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a text, with those that the model wants around it, cut to what it reads."""
        room = self.context.size - len(self._head) - len(self._tail)
        inner = self.native.tokenize(text[: room * _LONGEST_TOKEN])
        return [*self._head, *inner[:room], *self._tail] or self.native.tokenize(" ")

    def batches(self, texts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
        """The places of texts that are read at once: as many as fit, those of a length together."""
        batch, room = list[int](), self.context.size
        for place in sorted(range(len(texts)), key=lambda place: len(texts[place])):
            if batch and (len(texts[place]) > room or len(batch) == self.context.seats):
                yield batch
                batch, room = [], self.context.size
            batch.append(place)
            room -= len(texts[place])
        if batch:
            yield batch


class EmbeddingChild:
    """Does the tasks of the mailbox one after another. A hold, or a cancel, stops the batch that is being read; a held
    one is read again afterwards."""

    def __init__(self, mailbox: Mailbox, model: EmbeddingModel, abort: AbortFlag, elapsed: Callable[[], float]) -> None:
        self._mailbox = mailbox
        self._model = model
        self._abort = abort
        self._elapsed = elapsed
        self._changed = threading.Condition()
        self._held = False
        self._doing = 0  # the task at work; tasks are numbered from 1

    def serve(self) -> None:
        """Say that all is ready, and do tasks for ever."""
        context = self._model.context
        self._mailbox.send(Ready(context.size, self._model.native.gpu_layers, self._elapsed(), width=context.width))
        self._mailbox.tell_holds(self._hold)
        while True:
            ask = self._mailbox.next()
            if self._mailbox.keep(ask, lambda ask=ask: self._begin(ask), self._cancel):
                self._do(ask)

    def _do(self, ask: Ask) -> None:
        try:
            said = self._answer(ask)
        except BadRequest as error:
            said = Failed(error.code, error.detail, error.fix)
        except Fault as fault:
            error = ModelFailed(f"{self._model.name} could not go on: {fault}.", "Ask again.")
            said = Failed(error.code, error.detail, error.fix)
        if said is not None:
            self._mailbox.send(Answer(ask.id, said))

    def _answer(self, ask: Ask) -> Vectors | Tokens | Forgotten | None:
        match ask.task:
            case Embed(texts):
                return self._embed(ask, [self._model.tokens(text) for text in texts])
            case Tokenize(text):
                return Tokens(self._model.native.tokenize(text[: self._model.context.size * _LONGEST_TOKEN]))
            case Forget():
                return Forgotten()
            case _:
                raise BadRequest(f"{self._model.name} makes vectors; it writes no text.", "Choose a language model.")

    def _embed(self, ask: Ask, texts: Sequence[Sequence[int]]) -> Vectors | None:
        """None when nobody waits for it any more."""
        rows = np.zeros((len(texts), self._model.context.width), np.float32)
        for batch in self._model.batches(texts):
            found = self._read(ask, [texts[place] for place in batch])
            if found is None:
                return None
            rows[batch] = found
        data = base64.b64encode(rows.astype("<f4").tobytes()).decode("ascii")
        return Vectors(data, rows.shape[1], sum(map(len, texts)))

    def _read(self, ask: Ask, texts: Sequence[Sequence[int]]) -> Rows | None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._held or ask.lane == "inline" or self._doing != ask.id)
                if self._doing != ask.id:
                    return None
                self._abort.down()
            found = self._model.context.embed(texts)
            if not isinstance(found, str):
                return found

    # -- from the thread that reads the socket

    def _begin(self, ask: Ask) -> None:
        with self._changed:
            self._doing = ask.id

    def _cancel(self, id: int) -> None:
        with self._changed:
            if id == self._doing:
                self._doing = 0
                self._abort.up()
                self._changed.notify()

    def _hold(self, on: bool) -> None:
        with self._changed:
            self._held = on
            if on:
                self._abort.up()
            self._changed.notify()


def _around(native: NativeModel) -> tuple[list[int], list[int]]:
    """The tokens before and after a text, as the model was trained: [CLS] and [SEP] of a BERT."""
    inner, whole = native.tokenize("a"), native.tokenize("a", around=True)
    for at in range(len(whole) - len(inner) + 1):
        if whole[at : at + len(inner)] == inner:
            return whole[:at], whole[at + len(inner) :]
    return [], []
