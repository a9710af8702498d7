"""T06: a server on every address of this machine is a server for its whole network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.security


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", "127.0.0.1.evil.example", ""])
def test_hearth_refuses_to_start_beyond_loopback(tmp_path: Path, host: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "hearth_backend", "up", "--headless", "--port", "0"],
        env={**os.environ, "HEARTH_HOME": str(tmp_path / "home"), "HEARTH_SERVER__HOST": host},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "loopback" in said or "open to the network" in said
    assert "server.host" in said
    assert "Traceback" not in said
