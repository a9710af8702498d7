"""Where Hearth can be reached once it runs, and how `hearth` gets onto the PATH."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hearth_shared.paths import Home


@dataclass(frozen=True, slots=True)
class Link:
    """Where `hearth` is linked, and the line that is needed when the PATH does not hold that folder."""

    path: Path
    line: str = ""


def doors(home: Home, port: int | None, *, tray: bool) -> Sequence[str]:
    """One line for each door."""
    own = (
        '  terminal   hearth ask "what can you do?"    or    hearth chat',
        f"  tray       {'beside the clock; hearth toggle shows its window' if tray else _NO_TRAY}",
        "  editor     hearth pair editor    says what to write into its settings",
        "  browser    hearth pair browser    connects the extension",
    )
    folder = f"  folder     {home.root}"
    if port is None:
        return *own, "  HTTP       closed: `hearth doctor` says why", folder
    http = f"http://127.0.0.1:{port}"
    return (
        *own,
        f"  HTTP       {http}    with a token: hearth token create",
        f"  OpenAI     {http}/v1    as the base_url of any OpenAI client, with the same token",
        folder,
    )


_NO_TRAY = "needs a display: `make run` again from a desktop session"


def home_of_user() -> Path | None:
    """None for a user without a home, as services have."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def choose_link(environ: Mapping[str, str], user: Path | None, *, is_root: bool) -> Link | None:
    """A folder for programs of this user's own, one on the PATH if there is one."""
    on_path = [Path(part) for part in environ.get("PATH", "").split(os.pathsep) if part]
    own = [user / ".local" / "bin", user / "bin"] if user else []
    for folder in [Path("/usr/local/bin"), *own] if is_root else own:
        if folder in on_path:
            return Link(folder / "hearth")
    if not own:
        return None
    return Link(own[0] / "hearth", f'export PATH="{own[0]}:$PATH"')


def put_on_path(link: Link | None, program: Path) -> str:
    """Links it and says what there is to say; a `hearth` that is somebody else's stays as it is."""
    if link is None:
        return f'To have hearth in this terminal: export PATH="{program.parent}:$PATH"'
    if os.path.lexists(link.path) and not _is_ours(link.path):
        return f"{link.path} is another program. To use this Hearth: ln -sf {program} {link.path}"
    try:
        link.path.parent.mkdir(parents=True, exist_ok=True)
        link.path.unlink(missing_ok=True)
        link.path.symlink_to(program)
    except OSError as error:
        return f'{link.path} could not be written ({error.strerror}). Instead: export PATH="{program.parent}:$PATH"'
    return f"To have hearth in this terminal: {link.line}" if link.line else f"hearth is on the PATH: {link.path}"


def _is_ours(path: Path) -> bool:
    """Linked by an earlier set-up, of this checkout or of one that has moved away."""
    return path.is_symlink() and Path(os.readlink(path)).parts[-3:] == (".venv", "bin", "hearth")
