"""An end for Qt's objects in the thread where they live: `from support.qt_garbage import collected_in_this_thread`."""

import gc
from collections.abc import Iterator

import pytest

__all__ = ["collected_in_this_thread"]


@pytest.fixture(autouse=True)
def collected_in_this_thread() -> Iterator[None]:
    """Python collects garbage in whichever thread happens to allocate, a model server's too, and a QObject that ends
    in another thread than its own takes the process with it. So nothing is collected while a test runs, and what it
    left is collected here; what outlives a test is set aside, or each collection would look through all of pytest."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()
    gc.enable()
