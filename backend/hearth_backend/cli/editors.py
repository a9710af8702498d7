"""`hearth pair editor`: the few lines that start Hearth's language server in each editor."""

import json
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from hearth_backend.cli.desk import Desk


class Editor(NamedTuple):
    """Where the lines go, the lines, and the page that tells more."""

    title: str
    place: str
    lines: Callable[[str], str]
    page: str


def _vscode(command: str) -> str:
    return f'"hearth.server.command": {json.dumps([command, "lsp"])}'


def _neovim(command: str) -> str:
    return (
        f'vim.lsp.config("hearth", {{ cmd = {{ {json.dumps(command)}, "lsp" }} }})\n'
        'vim.lsp.enable("hearth")\n'
        "if vim.lsp.inline_completion then vim.lsp.inline_completion.enable() end  -- ghost text, from 0.12"
    )


def _helix(command: str) -> str:
    return (
        f'[language-server.hearth]\ncommand = {json.dumps(command)}\nargs = ["lsp"]\n\n'
        '[[language]]\nname = "python"  # and so for each language\nlanguage-servers = ["pylsp", "hearth"]'
    )


def _emacs(command: str) -> str:
    return (
        "(with-eval-after-load 'eglot\n"
        f"  (add-to-list 'eglot-server-programs '(prog-mode . ({json.dumps(command)} \"lsp\"))))"
    )


EDITORS: Final[Mapping[str, Editor]] = {
    "vscode": Editor("VS Code", "settings.json, with Hearth's extension installed", _vscode, "editors/vscode.md"),
    "neovim": Editor("Neovim 0.11 and newer", "init.lua", _neovim, "editors/neovim.md"),
    "helix": Editor("Helix", "languages.toml", _helix, "editors/helix.md"),
    "emacs": Editor("Emacs", "init.el, then M-x eglot", _emacs, "editors/emacs.md"),
}


def pair(desk: Desk, options: Namespace) -> int:
    """The lines alone go to standard output, so that they can be appended to a file; what to do with them goes beside
    it. An editor needs no token: it comes in by the key of this person's own."""
    if options.editor is None:
        desk.terminal.table([(name, (editor.title, "muted")) for name, editor in EDITORS.items()])
        desk.terminal.note("`hearth pair editor NAME` shows what to put where.")
        return 0
    editor = EDITORS[options.editor]
    desk.terminal.note(f"For {editor.title}, in {editor.place}. docs/{editor.page} tells more.")
    desk.terminal.say(editor.lines(program()))
    return 0


def program(which: Callable[[str], str | None] = shutil.which, beside: Path | None = None) -> str:
    """`hearth` as an editor can start it: by its name when it is on the PATH."""
    own = (beside or Path(sys.executable).parent) / "hearth"
    found = which("hearth")
    is_ours = found is not None and Path(found).resolve() == own.resolve()
    return "hearth" if is_ours or not own.exists() else str(own)
