"""Backends that an editor meets."""

from support.editor_fixtures import bare, scripted, scripted_backend, scripted_model
from support.gguf_files import tiny_gguf

__all__ = ["bare", "scripted", "scripted_backend", "scripted_model", "tiny_gguf"]
