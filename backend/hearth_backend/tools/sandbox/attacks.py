"""Runs inside the sandbox and tries to break out of it: prints {attack: "open …" or "shut …"} as one line of JSON.

It needs the standard library alone, and is read by the system's own Python from its standard input. What is known of
the outside comes in the environment: SECRET and OUTSIDE (paths), PORT, PID, NAME (an abstract socket), SOCKET (a path).
"""

import json
import os
import platform
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

found: dict[str, str] = {}
env = os.environ


def attempt(name: str, attack: Callable[[], object]) -> None:
    """Note how an attack went."""
    try:
        found[name] = f"open {str(attack())[:40]}"
    except BaseException as error:
        found[name] = f"shut {type(error).__name__} {getattr(error, 'errno', '')}"


def read(path: str) -> str:
    """A file's text."""
    with open(path) as file:
        return file.read()


def write(path: str) -> int:
    """A byte into a file."""
    with open(path, "w") as file:
        return file.write("x")


def connect(family: int, address: Any) -> bytes:
    """Whoever listens there says something."""
    with socket.socket(family) as made:
        made.settimeout(2)
        made.connect(address)
        return made.recv(10)


def datagram() -> int:
    """Sent; the host tells whether it came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        return made.sendto(b"out", ("127.0.0.1", int(env["PORT"])))


def call(name: str, *arguments: int) -> str:
    """A C function of libc, or a system call by its number."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)
    return "done"


def type_into_the_terminal() -> object:
    """TIOCSTI."""
    import fcntl
    import termios

    return fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), termios.TIOCSTI, b"x")


def fork_many() -> str:
    """400 children."""
    children: list[int] = []
    try:
        for _ in range(400):
            if (child := os.fork()) == 0:
                time.sleep(5)
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    return "400"


def large_file() -> str:
    """300 MiB, without writing them."""
    with open("big", "wb") as file:
        file.truncate(300 << 20)
    return "made"


attempt("write here", lambda: write("out.txt"))  # no attack: this must be open
attempt("read a secret", lambda: read(env["SECRET"]))
attempt("read /etc", lambda: read("/etc/hostname"))
attempt("read the passwords", lambda: read("/etc/shadow"))
attempt("follow a link out", lambda: read("link"))
attempt("write outside", lambda: write(env["OUTSIDE"] + "/made"))
attempt("write the system", lambda: write("/usr/made"))
attempt("write what is fixed", lambda: write("fixed/hook"))
attempt("read what is masked", lambda: read("masked/key"))
attempt("write to the shared /tmp", lambda: write("/tmp/" + env["NAME"]))
attempt("TCP to this machine", lambda: connect(socket.AF_INET, ("127.0.0.1", int(env["PORT"]))))
attempt("UDP to this machine", datagram)
attempt("an abstract socket", lambda: connect(socket.AF_UNIX, "\0" + env["NAME"]))
attempt("a socket outside", lambda: connect(socket.AF_UNIX, env["SOCKET"]))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).fileno())
attempt("signal a process", lambda: os.kill(int(env["PID"]), 0))
attempt("read its environment", lambda: read(f"/proc/{env['PID']}/environ"))
attempt("a key in the environment", lambda: env["HEARTH_BATTERY_KEY"])
attempt("type into the terminal", type_into_the_terminal)
attempt("a new user namespace", lambda: call("unshare", 0x10000000))
attempt("the kernel's keys", lambda: call("syscall", 250 if platform.machine() == "x86_64" else 219, 0, -3, 1))
attempt("trace a process", lambda: call("ptrace", 0, 0, 0, 0))
attempt("3 GiB of memory", lambda: len(bytearray(3 << 30)))
attempt("400 processes", fork_many)
attempt("a file of 300 MiB", large_file)
sys.stdout.write(json.dumps(found) + "\n")
