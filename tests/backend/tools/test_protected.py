import pytest

from hearth_backend.tools.protected import why_protected

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "path",
    [
        *(".git/config", "a/.git/hooks/post-commit", ".vscode/tasks.json", ".cursor/mcp.json", ".mcp.json"),
        *("AGENTS.md", "a/CLAUDE.md", ".github/copilot-instructions.md", ".bashrc", ".zshenv", ".profile"),
        *(".GIT/config", ".Git/config", ".git./config", ".git /config", ".g\u200bit/config", "\uff0egit/config"),
        *(".config/autostart/x.desktop", ".ssh/authorized_keys", "x.desktop", "a.pth", ".env", ".env.local", ".envrc"),
        *("conftest.py", "sitecustomize.py", ".pre-commit-config.yaml", ".gitattributes", ".bash_anything"),
    ],
)
def test_what_a_program_obeys_is_protected(path: str) -> None:
    assert why_protected(path.split("/"))


@pytest.mark.parametrize("path", ["notes.md", "src/git.py", "a/environment.txt", "agents/list.md", "x.git", ""])
def test_what_none_obeys_is_not(path: str) -> None:
    assert not why_protected(path.split("/"))
