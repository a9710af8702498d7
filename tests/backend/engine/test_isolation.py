"""An engine child gives the network up."""

import subprocess
import sys

import pytest

from hearth_backend.engine import isolation

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")]

SCRIPT = """
import socket, subprocess, sys, threading
from hearth_backend.engine.isolation import close_network, network_is_closed
print(network_is_closed())
print(close_network())
print(network_is_closed())
def elsewhere(): print(network_is_closed())
thread = threading.Thread(target=elsewhere); thread.start(); thread.join()
for family in (socket.AF_INET6, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_DGRAM); print("open")
    except PermissionError:
        print("refused")
one, other = socket.socketpair(); one.sendall(b"local"); print(other.recv(9).decode())
code = "from hearth_backend.engine.isolation import network_is_closed; print(network_is_closed())"
print(subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True).stdout.strip())
"""


def test_no_socket_leaves_the_machine_from_then_on_in_threads_and_children_neither() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True", "True", "refused", "refused", "local", "True"]


def test_the_probe_of_the_doctor_says_so() -> None:
    done = subprocess.run([sys.executable, "-I", "-c", isolation.PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
