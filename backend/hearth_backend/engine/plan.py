"""How to load a model here: layers on the GPU, context, and the cache's type, with the reasons in words. Pure.

llama.cpp gives the GPU the output first and then the last layers, and counts the output as a layer. What the cache
takes is exact to half a percent; the room for computing and the margin are estimates on the safe side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from hearth_backend.engine.shape import Shape

KV_TYPES = ("f16", "q8_0")
"""What the engine can keep its cache as, the first where there is room for it."""
LEAST_CONTEXT = 4096
SPARE_BYTES = 256 << 20
"""Memory that cells beyond one whole context may take, for conversations side by side."""
MOST_SPARE = 3
BATCH = 512
_MARGIN = 512 << 20
_MARGIN_SHARE = 0.08
_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Device:
    """A device that a build of the engine found; `kind` is cpu, gpu, integrated or accelerator."""

    name: str
    detail: str
    kind: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Room:
    """What there is now: bytes of this machine's memory, the GPU if one can be used, and further cards of the same
    build, the next best first."""

    memory_free: int
    memory_total: int
    gpu: Device | None = None
    others: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person set: `gpu_layers` -1 means as many as fit. `kv_types` are those the engine can keep."""

    context: int
    gpu_layers: int = -1
    kv_types: Sequence[str] = ("f16",)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be tried first, what it should take, and why. `fits` is false when even the processor lacks memory;
    `split` is how many of the layers each card takes, the best card first; empty when one takes them all."""

    gpu_layers: int
    context: int
    kv_type: str
    gpu_bytes: int
    memory_bytes: int
    fits: bool
    reasons: tuple[str, ...]
    split: tuple[int, ...] = ()


def plan(shape: Shape, room: Room, wish: Wish) -> Plan:
    """All layers with the whole context if that fits; else a denser cache, a shorter context, and fewer layers."""
    wanted = min(wish.context, shape.trained_context or wish.context)
    cut = (f"The model itself reads at most {_tokens(wanted)}.",) if wanted < wish.context else ()
    layers = _layers_wanted(shape, wish)
    if room.gpu is None:
        why = "No GPU can be used: it runs on the processor."
        return _on_cpu(shape, room, wish, wanted, (*cut, why))
    if layers == 0:
        return _on_cpu(shape, room, wish, wanted, (*cut, "`engine.gpu_layers` is 0: it runs on the processor."))
    return _on_gpu(shape, room, room.gpu, wish, wanted, layers, cut)


def _kv_types(shape: Shape, wish: Wish) -> Sequence[str]:
    """A quantised cache keeps 32 numbers together: heads of another width cannot be kept so."""
    whole = shape.key % 32 == 0 and shape.value % 32 == 0
    return wish.kv_types if whole else ("f16",)


def _layers_wanted(shape: Shape, wish: Wish) -> int:
    return shape.count if wish.gpu_layers < 0 else min(wish.gpu_layers, shape.count)


def _on_gpu(shape: Shape, room: Room, gpu: Device, wish: Wish, wanted: int, layers: int, cut: tuple[str, ...]) -> Plan:
    cards = (gpu, *room.others)
    rooms = [_usable(card, room) - _margin(card) for card in cards]
    for context, kv_type in product(_contexts(wanted), _kv_types(shape, wish)):
        if split := spread(shape, layers, context, kv_type, rooms):
            fits = _all_fit(shape, layers, context, split)
            reasons = (*cut, *_seen(cards, split), *_shortened(context, wanted, kv_type), fits)
            return _made(shape, room, layers, context, kv_type, reasons, split)
    context, kv_type = min(wanted, LEAST_CONTEXT), _kv_types(shape, wish)[-1]
    tried = ((n, spread(shape, n, context, kv_type, rooms)) for n in range(layers, 0, -1))
    fitting, split = next(((n, split) for n, split in tried if split), (0, ()))
    reasons = (*cut, *_seen(cards, split))
    if wish.gpu_layers > 0:
        why = f"`engine.gpu_layers` asks for {layers}; about {fitting} should fit, so fewer are tried if it fails."
        return _made(shape, room, layers, context, kv_type, (*reasons, why), split)
    if fitting == 0:
        return _on_cpu(shape, room, wish, wanted, (*reasons, "Not even one layer fits: it runs on the processor."))
    why = f"{fitting} of {shape.count} layers fit with {_tokens(context)} of context; the processor does the others."
    return _made(shape, room, fitting, context, kv_type, (*reasons, *_shortened(context, wanted, kv_type), why), split)


def _margin(card: Device) -> int:
    """What is left alone of a card: others use it too, and the estimates are estimates."""
    return max(_MARGIN, int(card.total * _MARGIN_SHARE))


def _seen(cards: Sequence[Device], split: Sequence[int]) -> Iterator[str]:
    """The cards that are used; the best of them when none is."""
    for card in cards[: max(1, len(split))]:
        name, margin = card.detail or card.name, _gb(_margin(card))
        yield f"{name} has {_gb(card.free)} of {_gb(card.total)} free; {margin} of it are left alone."


def _on_cpu(shape: Shape, room: Room, wish: Wish, wanted: int, reasons: tuple[str, ...]) -> Plan:
    for context, kv_type in product(_contexts(wanted), _kv_types(shape, wish)):
        if memory_bytes(shape, 0, context, kv_type) <= room.memory_free:
            more = _shortened(context, wanted, kv_type, "this machine's free memory would not hold it")
            return _made(shape, room, 0, context, kv_type, (*reasons, *more))
    context, kv_type = min(wanted, LEAST_CONTEXT), _kv_types(shape, wish)[-1]
    needed = memory_bytes(shape, 0, context, kv_type)
    why = (
        f"It needs about {_gb(needed)} of memory and {_gb(room.memory_free)} are free: it would be very slow, or fail."
    )
    return _made(shape, room, 0, context, kv_type, (*reasons, why))


def _made(
    shape: Shape,
    room: Room,
    layers: int,
    context: int,
    kv_type: str,
    reasons: tuple[str, ...],
    split: tuple[int, ...] = (),
) -> Plan:
    more = max(0, len(split) - 1) * compute_bytes(shape, context)  # each card computes in room of its own
    needed = memory_bytes(shape, layers, context, kv_type)
    return Plan(
        gpu_layers=layers,
        context=context,
        kv_type=kv_type,
        gpu_bytes=gpu_bytes(shape, layers, context, kv_type) + more if layers else 0,
        memory_bytes=needed,
        fits=needed <= room.memory_free,
        reasons=reasons,
        split=split if len(split) > 1 else (),
    )


def spread(shape: Shape, layers: int, context: int, kv_type: str, rooms: Sequence[int]) -> tuple[int, ...]:
    """How many of so many layers each card takes, in order; empty when they do not all fit.

    As few cards as hold them, so that what is computed crosses as few borders as can be, and the next model finds a
    card free. llama.cpp lays layers out in their order, the output last.
    """
    if gpu_bytes(shape, layers, context, kv_type) <= rooms[0]:
        return (layers,)
    parts = [_held(shape, [index], context, kv_type) for index in _on_gpu_indexes(shape, layers)]
    parts.append(_output(shape, layers))
    computing, counts = compute_bytes(shape, context), list[int]()
    for room in rooms:
        left, before = room - computing, len(parts)
        while parts and parts[0] <= left:
            left -= parts.pop(0)
        counts.append(before - len(parts))
        if not parts:
            return tuple(counts)
    return ()


def gpu_bytes(shape: Shape, layers: int, context: int, kv_type: str) -> int:
    """What so many layers take on the GPU: weights, cache, and room for computing."""
    return (
        _held(shape, _on_gpu_indexes(shape, layers), context, kv_type)
        + compute_bytes(shape, context)
        + _output(shape, layers)
    )


def memory_bytes(shape: Shape, layers: int, context: int, kv_type: str) -> int:
    """What the rest takes in this machine's memory."""
    there = set(_on_gpu_indexes(shape, layers))
    here = [index for index in range(len(shape.layers)) if index not in there]
    rest = shape.output - _output(shape, layers)
    return _held(shape, here, context, kv_type) + rest + shape.embedding_table + compute_bytes(shape, context)


def cells(shape: Shape, context: int) -> int:
    """Tokens that the engine makes room for: one whole context, and more where they are cheap."""
    return context * (1 + min(MOST_SPARE, SPARE_BYTES // max(1, kv_bytes(shape, context, "f16"))))


def kv_bytes(shape: Shape, context: int, kv_type: str) -> int:
    """What the cache of so many tokens takes."""
    return int(sum(context * shape.kv_per_token(index, kv_type) for index in range(len(shape.layers))))


def compute_bytes(shape: Shape, context: int) -> int:
    """Room for computing one batch: logits, the widest rows between layers, and which token may look at which."""
    width = 4 * shape.vocabulary + 16 * shape.embedding + 8 * shape.feed_forward
    return BATCH * (width + 4 * cells(shape, context))


def _on_gpu_indexes(shape: Shape, layers: int) -> range:
    count = len(shape.layers)
    return range(count - min(max(layers - 1, 0), count), count)


def _output(shape: Shape, layers: int) -> int:
    return shape.output if layers else 0


def _held(shape: Shape, indexes: Sequence[int], context: int, kv_type: str) -> int:
    room = cells(shape, context)
    return int(sum(shape.layers[index] + room * shape.kv_per_token(index, kv_type) for index in indexes))


def _usable(gpu: Device, room: Room) -> int:
    """An integrated GPU uses the machine's own memory."""
    return min(gpu.free, room.memory_free) if gpu.kind == "integrated" else gpu.free


def _contexts(wanted: int) -> Iterator[int]:
    """The wanted length, then its halves, down to 4,096."""
    yield wanted
    while wanted > LEAST_CONTEXT:
        wanted = max(LEAST_CONTEXT, wanted // 2)
        yield wanted


def _all_fit(shape: Shape, layers: int, context: int, split: Sequence[int]) -> str:
    many = f"All {layers} layers" if layers == shape.count else f"The {layers} layers asked for"
    if len(split) == 1:
        return f"{many} fit on it with {_tokens(context)} of context."
    each = f"{', '.join(map(str, split[:-1]))} and {split[-1]}"
    return f"{many} fit on {len(split)} cards ({each}) with {_tokens(context)} of context."


def _shortened(context: int, wanted: int, kv_type: str, why: str = "more would not fit beside the layers") -> list[str]:
    said: list[str] = []
    if context < wanted:
        said.append(f"The context is {_tokens(context)} instead of {wanted:,}: {why}.")
    if kv_type != "f16":
        said.append(f"The cache is kept as {kv_type}, which takes about half the room.")
    return said


def _tokens(count: int) -> str:
    return f"{count:,} tokens"


def _gb(count: int) -> str:
    return f"{count / _GB:.1f} GB"
