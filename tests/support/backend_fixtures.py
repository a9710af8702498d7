"""Fixtures for tests that look at a whole backend: `from support.backend_fixtures import backend` in a conftest."""

from collections.abc import Iterator

import pytest

from support.backend import Backend, running

__all__ = ["backend", "shared_backend"]

_ROOMY = """
[server]
first_party_per_second = 100000
first_party_burst = 100000
third_party_per_minute = 1000000
third_party_burst = 1000000
[runs]
workers = 1
"""


@pytest.fixture(scope="session")
def shared_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """One backend for all tests that only look and add."""
    with running(tmp_path_factory.mktemp("shared") / "home", _ROOMY) as one:
        yield one


@pytest.fixture
def backend(shared_backend: Backend) -> Iterator[Backend]:
    """The shared backend, whose connections are closed after each test."""
    yield shared_backend
    shared_backend.hang_up()
