"""Which files turn into orders for some program: their change is always asked about, whatever the rules say. Pure."""

import unicodedata
from collections.abc import Sequence
from typing import Final

# Folders whose files are read as configuration, or run, by an editor, a shell, git, a login or an agent.
_FOLDERS: Final = frozenset(
    {".git", ".hg", ".svn", ".vscode", ".cursor", ".idea", ".zed", ".claude", ".codex", ".gemini", ".continue"}
    | {".github", ".gitlab", ".circleci", ".husky", ".devcontainer", ".ssh", ".gnupg", ".aws", ".kube", ".docker"}
    | {".config", ".local", ".mozilla", "autostart", "systemd", "launchagents", "launchdaemons", "cron.d"}
)
_FILES: Final = frozenset(
    {".mcp.json", "mcp.json", "agents.md", "claude.md", "gemini.md", "copilot-instructions.md", ".cursorrules"}
    | {".windsurfrules", ".clinerules", ".envrc", ".env", ".netrc", ".npmrc", ".pypirc", ".pgpass", ".git-credentials"}
    | {".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".login", ".inputrc"}
    | {".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".cshrc", ".tcshrc", ".kshrc", ".xprofile", ".xinitrc"}
    | {".xsession", ".xsessionrc", ".pam_environment", ".vimrc", ".exrc", ".nvimrc", ".emacs", ".gitconfig"}
    | {".gitmodules", ".gitattributes", ".pre-commit-config.yaml", ".editorconfig", ".tool-versions", ".pdbrc"}
    | {".gdbinit", ".lldbinit", "pyvenv.cfg", "sitecustomize.py", "usercustomize.py", "conftest.py", "crontab"}
)
_ENDINGS: Final = (".code-workspace", ".desktop", ".pth", ".service", ".timer", ".plist", ".env")


def why_protected(parts: Sequence[str]) -> str:
    """Why a file with this path is protected; empty when it is not."""
    plain = [_plain(part) for part in parts]
    for part in plain:
        if part in _FOLDERS:
            return f"a program may obey what lies in {part}"
    last = plain[-1] if plain else ""
    if last in _FILES or last.endswith(_ENDINGS) or last.startswith((".env.", ".bash", ".zsh")):
        return f"a program may obey {last}"
    return ""


def _plain(name: str) -> str:
    """As a file system that folds names would have it: case, compatibility forms, ignorable marks, dots at the end."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    seen = "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Mn", "Cc"))
    return seen.rstrip(". ") or seen
