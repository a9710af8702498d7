"""The command line that puts a program into the sandbox. Pure, but for looking which system folders are links."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SYSTEM: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC: Final = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/ssl/certs")
_TMP: Final = 64 << 20
MEMORY: Final = 1 << 30
LARGEST_FILE: Final = 64 << 20
PROCESSES: Final = 64


@dataclass(frozen=True, slots=True)
class Room:
    """What a program may touch: `folder` to write in, `fixed` parts of it to read only, `masked` parts that seem
    empty."""

    folder: str
    fixed: Sequence[str] = ()
    masked: Sequence[str] = ()


def limits(seconds: int) -> list[str]:
    """What bounds everything inside, bubblewrap too."""
    return [
        *("prlimit", f"--as={MEMORY}", f"--fsize={LARGEST_FILE}", "--nofile=256", "--core=0", f"--cpu={seconds}"),
        "--",
    ]


def command(
    room: Room, argv: Sequence[str], environ: Mapping[str, str], filter_fd: int, git_fd: int, *, seconds: int
) -> list[str]:
    """No network, no other processes, no environment but `environ`, a clean /tmp, and /usr to read."""
    sets = [part for name, value in environ.items() for part in ("--setenv", name, value)]
    return [
        *limits(seconds),
        *("bwrap", "--seccomp", str(filter_fd)),
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"),
        *sets,
        *("--ro-bind", "/usr", "/usr"),
        *(part for folder in _SYSTEM for part in _system(folder)),
        *(part for path in _ETC for part in ("--ro-bind-try", path, path)),
        *("--ro-bind-data", str(git_fd), "/etc/gitconfig"),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(_TMP), "--tmpfs", "/tmp"),
        *("--bind", room.folder, room.folder),
        *(part for path in room.fixed for part in ("--ro-bind", path, path)),
        *(part for path in room.masked for part in ("--tmpfs", path, "--remount-ro", path)),
        *("--chdir", room.folder, "--cap-drop", "ALL", "--"),
        # inside the user namespace, or it would count the person's other processes too
        *("prlimit", f"--nproc={PROCESSES}", "--"),
        *argv,
    ]


def _system(folder: str) -> Sequence[str]:
    if os.path.islink(folder):
        return ("--symlink", os.readlink(folder), folder)
    return ("--ro-bind", folder, folder) if os.path.isdir(folder) else ()
