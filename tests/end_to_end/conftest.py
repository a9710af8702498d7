"""A whole house, and the command line as a person runs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.backend import Backend, running
from support.gguf_files import tiny_gguf

__all__ = ["house", "tiny_gguf"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Backend]:
    """A backend of its own on an empty home."""
    with running(tmp_path / "home") as backend:
        yield backend
