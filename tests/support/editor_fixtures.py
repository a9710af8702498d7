"""Backends that an editor meets: one without a model, and one whose model says what a test wants it to say."""

from collections.abc import Iterator

import pytest

from support.backend import Backend, running
from support.scripted_server import Scripted

__all__ = ["bare", "scripted", "scripted_backend", "scripted_model"]


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A backend without a language model, for tests that only look and add."""
    with running(tmp_path_factory.mktemp("bare") / "home") as backend:
        yield backend
        backend.hang_up()


@pytest.fixture(scope="session")
def scripted_model() -> Iterator[Scripted]:
    """The server behind `scripted`."""
    with Scripted() as server:
        yield server


@pytest.fixture(scope="session")
def scripted_backend(tmp_path_factory: pytest.TempPathFactory, scripted_model: Scripted) -> Iterator[Backend]:
    """The backend behind `scripted`."""
    with running(tmp_path_factory.mktemp("scripted") / "home", scripted_model.config) as backend:
        yield backend


@pytest.fixture
def scripted(scripted_backend: Backend) -> Iterator[Backend]:
    """A backend whose model is `scripted_model`: say what it `does` first."""
    yield scripted_backend
    scripted_backend.hang_up()
