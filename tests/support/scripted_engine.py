"""An engine child without llama.cpp, for what this machine has not: a GPU, and a GPU whose memory is too small.

    python -I scripted_engine.py FAIL_ABOVE (refuse | die)

It says that a GPU can be used, and fails to load when more than FAIL_ABOVE layers are asked of it. Asked to complete
"die", it aborts while it has layers on the GPU; "die always", it aborts; "endless", it writes until it is told to
stop; else it answers with the number of its layers.
"""

import os
import signal
import socket
import sys
import threading

from hearth_backend.engine.frames import Answer, Complete, Ended, Hello, Piece, Ready, Refused, Started
from hearth_backend.engine.mailbox import Mailbox


def main() -> None:
    most, way = int(sys.argv[1]), sys.argv[2]
    mailbox = Mailbox(socket.socket(fileno=0))
    mailbox.send(Hello(offload=True))
    layers = mailbox.load().gpu_layers
    if layers > most:
        if way == "die":
            os.kill(os.getpid(), signal.SIGABRT)
        mailbox.send(Refused("context", "out of device memory"))
        return
    mailbox.send(Ready(512, layers, 0.01))
    stopped = threading.Event()
    while True:
        ask = mailbox.next()
        stopped.clear()
        if not mailbox.keep(ask, lambda: None, lambda _id: stopped.set()):
            continue
        prefix = ask.task.prefix if isinstance(ask.task, Complete) else ""
        if prefix.startswith("die always") or (layers and prefix == "die"):
            os.kill(os.getpid(), signal.SIGABRT)
        while prefix == "endless" and not stopped.wait(0.001):
            mailbox.send(Answer(ask.id, Piece("on ")))
        if stopped.is_set():
            continue
        for event in (Started("scripted", 1, 0, layers), Piece(str(layers)), Ended("stop", 1, 1)):
            mailbox.send(Answer(ask.id, event))


if __name__ == "__main__":
    main()
