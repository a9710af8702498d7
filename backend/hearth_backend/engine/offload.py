"""How many layers to try on the GPU, and what to try when that fails."""


def rungs(layers: int, wanted: int) -> tuple[int, ...]:
    """Layers on the GPU to try, one fresh child each: all, three quarters, half, none.

    `wanted` -1 means all of them; the output counts as one more layer.
    """
    first = layers + 1 if wanted < 0 else min(wanted, layers + 1)
    found: list[int] = []
    for rung in (first, first * 3 // 4, first // 2, 0):
        if rung not in found:
            found.append(rung)
    return tuple(found)
