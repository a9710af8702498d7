"""A whole backend to look at."""

from support.backend_fixtures import backend, shared_backend

__all__ = ["backend", "shared_backend"]
