"""The engine child: `python -I -m hearth_backend.engine.worker`, its socket on descriptor 0.

The first thread turns tasks into prompts, the engine thread owns every native call that computes, and a third reads
the socket. The child lives as long as the socket is open.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from hearth_backend.engine.abortflag import AbortFlag
from hearth_backend.engine.frames import (
    Answer,
    Ask,
    Chat,
    Complete,
    Detokenize,
    Embed,
    Failed,
    Forget,
    Forgotten,
    Hello,
    Load,
    Ready,
    Refused,
    Text,
    Tokenize,
    Tokens,
)
from hearth_backend.engine.isolation import close_network
from hearth_backend.engine.kvcache import Fault
from hearth_backend.engine.mailbox import Mailbox
from hearth_backend.engine.outbox import Outbox
from hearth_backend.engine.runner import Runner
from hearth_backend.engine.scheduler import Job, Scheduler
from hearth_shared.errors import BadRequest, HearthError, ModelFailed

if TYPE_CHECKING:
    from hearth_backend.engine.model import Model


def main() -> None:
    """Load the model that the backend names, then do its tasks until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the backend's to handle
    close_network()  # before there is another thread, which would keep it
    mailbox = Mailbox(socket.socket(fileno=0))
    try:
        # here, not above: a library that cannot be loaded is told over the socket
        from hearth_backend.engine import native
    except (ImportError, OSError, RuntimeError) as error:
        mailbox.send(Refused("engine", str(error)))
        return
    mailbox.send(Hello(native.start()))
    load = mailbox.load()  # waits for it
    begun = time.perf_counter()

    def elapsed() -> float:
        return time.perf_counter() - begun

    try:
        serve = _embedding(mailbox, load, elapsed) if load.embeds else _writing(mailbox, load, elapsed)
    except native.NativeError as error:
        mailbox.send(Refused("context" if isinstance(error, native.NoContext) else "model", str(error)))
    else:
        serve()


def _writing(mailbox: Mailbox, load: Load, elapsed: Callable[[], float]) -> Callable[[], None]:
    from hearth_backend.engine.model import Model

    return Child(mailbox, Model(load, AbortFlag()), elapsed).serve


def _embedding(mailbox: Mailbox, load: Load, elapsed: Callable[[], float]) -> Callable[[], None]:
    from hearth_backend.engine.embeddings import EmbeddingChild, EmbeddingModel

    abort = AbortFlag()
    return EmbeddingChild(mailbox, EmbeddingModel(load, abort), abort, elapsed).serve


class Child:
    """A loaded model at work."""

    def __init__(self, mailbox: Mailbox, model: "Model", elapsed: Callable[[], float]) -> None:
        self._mailbox = mailbox
        self._model = model
        self._elapsed = elapsed
        self._outbox = Outbox(mailbox.send)
        self._runner = Runner(model.context.abort, self._outbox.flush)

    def serve(self) -> None:
        """Say that all is ready, and do tasks for ever."""
        model = self._model
        engine = threading.Thread(target=self._compute, name="engine", daemon=True)
        engine.start()
        self._mailbox.tell_holds(self._runner.hold)
        while True:
            ask = self._mailbox.next()
            try:
                self._begin(ask)
            except HearthError as error:
                self._answer(ask, Failed(error.code, error.detail, error.fix, error.data))
            except Fault as fault:
                error = ModelFailed(f"{model.name} could not go on: {fault}.", "Ask again.")
                self._answer(ask, Failed(error.code, error.detail, error.fix))

    def _compute(self) -> None:
        """The engine thread. An end of it that nobody foresaw is the end of the child."""
        try:
            self._runner.run(self._scheduler)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)

    def _scheduler(self, before_batch: Callable[[], None]) -> Scheduler:
        model = self._model
        cost = model.measure()
        self._mailbox.send(Ready(model.context.size, model.gpu_layers, self._elapsed(), model.note))
        return Scheduler(model.context, model.context.seats, cost, before_batch=before_batch, beginnings=model.kept)

    def _begin(self, ask: Ask) -> None:
        from hearth_backend.engine.generation import job_of

        model = self._model
        match ask.task:
            case Chat() | Complete():
                self._start(ask, job_of(model, ask, lambda event: self._outbox.put(ask.id, event)))
            case Tokenize(text):
                self._answer(ask, Tokens(model.tokenize(text)))
            case Detokenize(tokens):
                self._answer(ask, Text(model.detokenize(tokens)))
            case Forget():
                model.forget()
                self._runner.call(lambda scheduler: self._forget(scheduler, ask))
            case Embed():
                raise BadRequest(f"{model.name} writes; it makes no vectors.", "Choose an embedding model.")

    def _forget(self, scheduler: Scheduler, ask: Ask) -> None:
        """On the engine thread."""
        scheduler.forget()
        if self._model.kept is not None:
            self._model.kept.forget()
        self._outbox.put(ask.id, Forgotten())

    def _start(self, ask: Ask, job: Job) -> None:
        if not self._mailbox.keep(ask, lambda: self._runner.submit(job), self._runner.cancel):
            job.voice.drop()

    def _answer(self, ask: Ask, event: Tokens | Text | Failed) -> None:
        self._mailbox.send(Answer(ask.id, event))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the backend is gone
        main()
    sys.stderr.flush()
    os._exit(0)  # without running llama.cpp's destructors beside its own threads
