"""lsprotocol's classes, each finished when it is first used.

lsprotocol 2025.0.0 declares 554 classes with attrs. Finishing all of them while importing costs more than half a second
of processor time and 10 MB; a server uses some sixty. Here attrs.define only leaves two descriptors on a class, and
whoever first makes an instance or asks for its fields has it finished then. The classes are the same in every other
way: tests/lsp_server/test_light_types.py compares all of them.
"""

import importlib
import sys
from typing import Any

import attrs

_TYPES = "lsprotocol.types"


class _Fields:
    """Stands for `__attrs_attrs__` until somebody looks."""

    def __get__(self, one: object, owner: type) -> Any:
        _finish(owner)
        return vars(owner)["__attrs_attrs__"]


class _Init:
    """Stands for `__init__` until the first instance is made."""

    def __get__(self, one: object, owner: type) -> Any:
        _finish(owner)
        return vars(owner)["__init__"].__get__(one, owner)


def prepare() -> None:
    """Import lsprotocol's types this way; to be called before anybody else imports them, else it does nothing."""
    if _TYPES in sys.modules:
        return
    real = attrs.define
    setattr(attrs, "define", _later)  # noqa: B010 - a name of theirs, for the length of one import
    try:
        importlib.import_module(_TYPES)
    finally:
        setattr(attrs, "define", real)  # noqa: B010
    hooks = importlib.import_module("lsprotocol._hooks")
    vars(hooks)["_resolved_forward_references"] = True  # each class resolves its own when it is finished


def _later(cls: type) -> type:
    setattr(cls, "__attrs_attrs__", _Fields())  # noqa: B010
    setattr(cls, "__init__", _Init())  # noqa: B010
    return cls


def _finish(owner: type) -> None:
    delattr(owner, "__attrs_attrs__")
    delattr(owner, "__init__")
    finished = attrs.define(owner, slots=False)
    attrs.resolve_types(finished, sys.modules[_TYPES].ALL_TYPES_MAP, {})
