"""The model files Hearth knows by name: size, licence, context, and whether they fit this machine."""

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Literal

from hearth_backend.engine.plan import KV_TYPES, Plan, Room, Wish, plan
from hearth_backend.engine.shape import Shape

Fits = Literal["gpu", "partly", "memory", "no"]
_TABLE_SHARE: Final = 0.08


@dataclass(frozen=True, slots=True)
class Known:
    """A model file as its maker publishes it."""

    name: str
    repo: str
    file: str
    roles: tuple[Literal["chat", "complete", "embed"], ...]
    bytes: int
    licence: str
    context: int
    shape: Shape

    @property
    def source(self) -> str:
        """What is pulled."""
        return f"{self.repo}:{self.file}"


@functools.cache
def known_files() -> tuple[Known, ...]:
    """The shipped list, smallest first."""
    text = resources.files(__package__ or "").joinpath("catalogue.json").read_text("utf-8")
    found: list[dict[str, Any]] = json.loads(text)["models"]
    return tuple(sorted((_known(one) for one in found), key=lambda known: known.bytes))


def named(name: str) -> Known | None:
    """The one of this name."""
    return next((known for known in known_files() if known.name == name.strip().lower()), None)


def fit(known: Known, room: Room, context: int) -> tuple[Fits, str]:
    """Whether it fits, and how it would run, in words."""
    made = plan(known.shape, room, Wish(context, kv_types=KV_TYPES))
    return _fits(made, known.shape), made.reasons[-1]


def _fits(made: Plan, shape: Shape) -> Fits:
    if not made.fits:
        return "no"
    if made.gpu_layers >= shape.count:
        return "gpu"
    return "partly" if made.gpu_layers else "memory"


def _known(one: dict[str, Any]) -> Known:
    return Known(
        name=one["name"],
        repo=one["repo"],
        file=one["file"],
        roles=tuple(one["roles"]),
        bytes=one["bytes"],
        licence=one["licence"],
        context=one["context"],
        shape=_shape(one),
    )


def _shape(one: dict[str, Any]) -> Shape:
    """Before it is here only its whole size is known: its layers are taken as equal."""
    table = int(one["bytes"] * _TABLE_SHARE)
    each = (one["bytes"] - 2 * table) // one["layers"]
    return Shape(
        layers=(each,) * one["layers"],
        output=table,
        embedding_table=table,
        kv_heads=(one["kv_heads"],) * one["layers"],
        key=one["head"],
        value=one["head"],
        embedding=one["embedding"],
        feed_forward=one["feed_forward"],
        vocabulary=one["vocabulary"],
        trained_context=one["context"],
    )
