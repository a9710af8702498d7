"""`hearth pair editor`: the few lines that start Hearth's language server in each editor."""

import json
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from hearth_backend.cli.approvals import accepted, need_a_person
from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_backend.cli.terminal import ago
from hearth_shared import wire
from hearth_shared.errors import HomeError

Lines = Callable[[str, Path], str]


class Editor(NamedTuple):
    """Where the lines go, the lines (for the command, and the folder of what comes with Hearth for this editor), and
    the page that tells more."""

    title: str
    place: str
    lines: Lines
    page: str


def _vscode(command: str, folder: Path) -> str:
    return f'"hearth.server.command": {json.dumps([command, "lsp"])}'


def _neovim(command: str, folder: Path) -> str:
    return (
        f"vim.opt.runtimepath:append({json.dumps(str(folder))})\n"
        f'require("hearth").setup({{ cmd = {{ {json.dumps(command)}, "lsp" }} }})'
    )


def _helix(command: str, folder: Path) -> str:
    return (
        f'[language-server.hearth]\ncommand = {json.dumps(command)}\nargs = ["lsp"]\n\n'
        '[[language]]\nname = "python"  # and so for each language\nlanguage-servers = ["pylsp", "hearth"]'
    )


def _emacs(command: str, folder: Path) -> str:
    return (
        f'(setq hearth-command \'({json.dumps(command)} "lsp"))\n'
        f"(add-to-list 'load-path {json.dumps(str(folder))})\n"
        "(with-eval-after-load 'eglot (require 'hearth))"
    )


EDITORS: Final[Mapping[str, Editor]] = {
    "vscode": Editor("VS Code", "settings.json, once Hearth's extension is installed", _vscode, "editors/vscode.md"),
    "neovim": Editor("Neovim 0.7 and newer", "init.lua", _neovim, "editors/neovim.md"),
    "helix": Editor("Helix", "languages.toml", _helix, "editors/helix.md"),
    "emacs": Editor("Emacs", "init.el, then M-x eglot", _emacs, "editors/emacs.md"),
}


def pair(desk: Desk, options: Namespace) -> int:
    """The lines alone go to standard output, so that they can be appended to a file; what to do with them goes beside
    it. An editor needs no token: it comes in by the key of this person's own."""
    if options.decide:
        return _let_decide(desk, options.days)
    if options.editor is None:
        desk.terminal.table([(name, (editor.title, "muted")) for name, editor in EDITORS.items()])
        desk.terminal.note("`hearth pair editor NAME` shows what to put where.")
        return 0
    editor = EDITORS[options.editor]
    desk.terminal.note(f"For {editor.title}, in {editor.place}. docs/{editor.page} tells more.")
    desk.terminal.say(editor.lines(program(), shipped() / options.editor))
    return 0


def _let_decide(desk: Desk, days: float) -> int:
    """Whoever types in an editor then decides; so it is asked here, where a person sits."""
    need_a_person(desk.terminal)
    seen = desk.terminal.for_person()
    seen.fold(
        "Every editor of yours that runs Hearth could then decide approvals, and so could whatever runs in one: its "
        f"extensions press the same buttons. It ends after {days:g} days."
    )
    if not accepted(seen, "this"):
        seen.say("Nothing was granted; editors go on showing approvals.")
        return 1
    made: wire.Client = desk.backend().request("POST", route("clients", "editors"), {"days": days})
    desk.terminal.say((f"Editors may decide; it ends {ago(made['expires_at'])}.", "ok"))
    desk.terminal.say(f"`hearth clients revoke {made['id']}` takes it back.")
    return 0


def shipped() -> Path:
    """What comes with Hearth for editors; found without loading any of it."""
    found = find_spec("hearth_lsp")
    if found is None or found.origin is None:
        raise HomeError("Hearth's language server is not installed.", "Install Hearth again: `make run`.")
    return Path(found.origin).parent / "editors"


def program(which: Callable[[str], str | None] = shutil.which, beside: Path | None = None) -> str:
    """`hearth` as an editor can start it: by its name when it is on the PATH."""
    own = (beside or Path(sys.executable).parent) / "hearth"
    found = which("hearth")
    is_ours = found is not None and Path(found).resolve() == own.resolve()
    return "hearth" if is_ours or not own.exists() else str(own)
