import os
import subprocess
import sys
from pathlib import Path

import pytest

from hearth_backend.cli.stdio import become_if_asked

pytestmark = pytest.mark.integration

INITIALIZE = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": null}}'


def command(*words: str, **environ: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "hearth_backend", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **environ},
    )


@pytest.mark.parametrize("words", [("lsp",), ("lsp", "--stdio")])
def test_it_becomes_the_language_server_in_the_same_process(words: tuple[str, ...]) -> None:
    process = command(*words)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(INITIALIZE), INITIALIZE))
    process.stdin.flush()
    head = process.stdout.readline()
    assert head.lower().startswith(b"content-length:")
    assert b"hearth_lsp" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.communicate(timeout=60)


def test_its_help_is_hearths_own() -> None:
    out, _ = command("lsp", "--help").communicate(timeout=60)
    assert b"usage: hearth lsp" in out


def test_without_pygls_it_says_what_to_do(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pygls'] = None; sys.path[:0] = [p for p in %r]\n"
        "from hearth_backend.cli.stdio import become_if_asked\nbecome_if_asked(['lsp'])"
    )
    text = code % [path for path in sys.path if path]
    said = subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, text=True)
    assert said.returncode == 1
    assert "needs pygls" in said.stderr
    assert "make run" in said.stderr
    assert "Traceback" not in said.stderr


def test_other_words_become_nothing() -> None:
    become_if_asked([])
    become_if_asked(["ask", "lsp"])
    become_if_asked(["lsp", "-h"])


def test_nothing_heavy_is_loaded_before_it() -> None:
    heavy = ("http.client", "argparse", "pydantic")
    code = f"import hearth_backend.__main__, sys; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
