import io
from pathlib import Path

import pytest

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.terminal import Terminal
from support.small_backend import SmallBackend

pytestmark = pytest.mark.integration


def test_a_desk_finds_the_home_and_speaks_as_the_cli(backend: SmallBackend, hearth_home: Path) -> None:
    backend.routes["GET", "/v1/usage"] = lambda asked: {"key": asked.headers["authorization"]}
    desk = Desk(Terminal(io.StringIO(), io.StringIO(), io.StringIO(), {}), lambda how: 0)
    assert desk.home.root == hearth_home
    assert desk.backend(start=False).request("GET", "/v1/usage") == {"key": f"Bearer {backend.keys['cli']}"}
