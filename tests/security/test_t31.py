"""T31: other users of this machine."""

import pytest

from support.backend import Backend

pytestmark = pytest.mark.security


def test_nothing_of_ours_is_open_to_others(backend: Backend) -> None:
    backend.door().get("/v1/status")
    home = backend.home.root
    ours = [
        path for path in (home, *home.rglob("*")) if path.is_dir() or path.lstat().st_nlink == 1
    ]  # not public weights
    open_to_others = [str(path.relative_to(home)) for path in ours if path.lstat().st_mode & 0o077]
    assert not open_to_others
