"""The engine child: `python -I -m hearth_backend.engine.worker`, its socket on descriptor 0.

One thread owns every native call; another reads the socket. It lives as long as the socket is open.
"""

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_never

from hearth_backend.engine.frames import (
    Answer,
    Chat,
    Complete,
    Detokenize,
    Event,
    Failed,
    Hello,
    Ready,
    Refused,
    Task,
    Text,
    Tokenize,
    Tokens,
)
from hearth_backend.engine.mailbox import Mailbox
from hearth_shared.errors import HearthError, ModelFailed

if TYPE_CHECKING:
    from hearth_backend.engine.generation import Writer
    from hearth_backend.engine.model import Model


def main() -> None:
    """Load the model that the backend names, then do its tasks until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the backend's to handle
    mailbox = Mailbox(socket.socket(fileno=0))
    try:
        # here, not above: a library that cannot be loaded is told over the socket
        from hearth_backend.engine import native
    except (ImportError, OSError, RuntimeError) as error:
        mailbox.send(Refused("engine", str(error)))
        return
    mailbox.send(Hello(native.start()))
    model = _load(mailbox)
    if model is not None:
        _serve(mailbox, model)


def _load(mailbox: Mailbox) -> "Model | None":
    from hearth_backend.engine.model import Model, NoContext
    from hearth_backend.engine.native import AbortFlag, NativeError

    load = mailbox.load()
    begun = time.perf_counter()
    try:
        model = Model(load, AbortFlag())
    except NativeError as error:
        mailbox.send(Refused("context" if isinstance(error, NoContext) else "model", str(error)))
        return None
    mailbox.send(Ready(model.context.size, load.gpu_layers, time.perf_counter() - begun, model.note))
    return model


def _serve(mailbox: Mailbox, model: "Model") -> None:
    from hearth_backend.engine.generation import Stopped, Writer
    from hearth_backend.engine.native import Misuse, NativeError

    writer = Writer(model)
    abort = model.context.abort
    while True:
        id, task = mailbox.next(stop=abort.up, go=abort.down)
        try:
            for event in _events(model, writer, task):
                mailbox.send(Answer(id, event))
        except Stopped:
            pass
        except HearthError as error:
            mailbox.send(Answer(id, Failed(error.code, error.detail, error.fix, error.data)))
        except (NativeError, Misuse) as error:
            fault = ModelFailed(f"{model.name} could not go on: {error}.", "Ask again.")
            mailbox.send(Answer(id, Failed(fault.code, fault.detail, fault.fix)))


def _events(model: "Model", writer: "Writer", task: Task) -> Iterator[Event | Tokens | Text]:
    from hearth_backend.engine.generation import FOR_CHAT, FOR_COMPLETION

    match task:
        case Chat():
            grammar = model.grammar(task.response_format)
            yield from writer.answer(model.chat_prompt(task), task.sampling, FOR_CHAT, grammar)
        case Complete():
            room = task.sampling.max_tokens or FOR_COMPLETION.max_tokens
            yield from writer.answer(model.completion_prompt(task, room), task.sampling, FOR_COMPLETION)
        case Tokenize(text):
            yield Tokens(model.tokenize(text))
        case Detokenize(tokens):
            yield Text(model.detokenize(tokens))
        case _:
            assert_never(task)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the backend is gone
        main()
    sys.stderr.flush()
    os._exit(0)  # without running llama.cpp's destructors beside its own threads
