"""A Debian 12 that has python3 and make and nothing else, in a folder, with processes of its own. Needs root."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.tools import need

_ENTER = """
mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && echo ready && exec chroot "$1" sleep infinity
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LIMIT_S = 1500


@dataclass(frozen=True, slots=True)
class BareMachine:
    """The folder is its root; `pid` holds its namespaces, and everything in it ends when that does."""

    root: Path
    pid: int

    def command(self, words: Sequence[str], *, user: str = "root", cwd: str = "/srv/hearth") -> tuple[str, ...]:
        """What runs `words` inside, with a clean environment."""
        enter = (
            "nsenter",
            "--target",
            str(self.pid),
            "--mount",
            "--pid",
            "chroot",
            f"--userspec={user}",
            str(self.root),
        )
        environ = {"HOME": f"/srv/{user}", "PATH": _PATH, "LANG": "C.UTF-8", **_authorities(self.root)}
        settings = (f"{name}={text}" for name, text in environ.items())
        return (*enter, "env", "-i", "-C", cwd, *settings, *words)

    def run(self, *words: str, user: str = "root", cwd: str = "/srv/hearth") -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, with nothing to read; its output is stdout and stderr together."""
        return subprocess.run(
            self.command(words, user=user, cwd=cwd), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=_LIMIT_S, check=False,
        )  # fmt: skip


@contextlib.contextmanager
def bare_machine(folder: Path, checkout: Path) -> Generator[BareMachine]:
    """Installs the system (a minute), lays the checkout's files into /srv/hearth, and enters it."""
    for tool in ("debootstrap", "unshare", "nsenter"):
        need(tool)
    root = folder / "root"
    made = ("debootstrap", "--variant=minbase", "--include=python3,make", "bookworm", str(root))
    subprocess.run(made, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT_S, check=True)
    _resolve_as_here(root)
    _lay_out(checkout, root / "srv" / "hearth")
    (root / "srv" / "root").mkdir()
    hold = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh", str(root))
    with subprocess.Popen(hold, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            inner = Path("/proc", str(holder.pid), "task", str(holder.pid), "children").read_text().split()
            yield BareMachine(root, int(inner[0]))
        finally:
            holder.kill()


def _lay_out(checkout: Path, target: Path) -> None:
    """A fresh clone: what git has, and what the next commit would add."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=checkout, capture_output=True, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name and (checkout / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, target / name)


def _resolve_as_here(root: Path) -> None:
    for name in ("resolv.conf", "hosts"):
        shutil.copy(Path("/etc", name), root / "etc" / name)
    if bundle := os.environ.get("SSL_CERT_FILE"):
        shutil.copy(bundle, root / "etc" / "authorities.crt")


def _authorities(root: Path) -> Mapping[str, str]:
    """The certificates that this machine was told to trust, where it was told."""
    if not (root / "etc" / "authorities.crt").exists():
        return {}
    return {"SSL_CERT_FILE": "/etc/authorities.crt", "PIP_CERT": "/etc/authorities.crt"}
