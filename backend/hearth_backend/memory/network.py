"""What the shape of a graph says: who stands in the middle, and who belongs together. Pure, and the same every time.

Two short methods instead of a library: PageRank by power iteration, and communities by label propagation in a fixed
order, as in Raghavan et al., https://arxiv.org/abs/0709.2938.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

_DAMPING: Final = 0.85
_ROUNDS: Final = 40
_CLOSE: Final = 1e-7
Neighbours = dict[int, list[int]]


def neighbours(pairs: Iterable[tuple[int, int]]) -> Neighbours:
    """Who stands beside whom, in either direction; twice beside each other counts once, and nobody beside himself."""
    beside: dict[int, set[int]] = {}
    for one, other in pairs:
        if one != other:
            beside.setdefault(one, set()).add(other)
            beside.setdefault(other, set()).add(one)
    return {node: sorted(found) for node, found in sorted(beside.items())}


def centrality(beside: Neighbours) -> dict[int, float]:
    """How much each stands in the middle; all of it adds up to 1."""
    if not beside:
        return {}
    share = 1 / len(beside)
    rank = dict.fromkeys(beside, share)
    for _ in range(_ROUNDS):
        fresh = {
            node: (1 - _DAMPING) * share + _DAMPING * sum(rank[other] / len(beside[other]) for other in found)
            for node, found in beside.items()
        }
        moved = sum(abs(fresh[node] - rank[node]) for node in beside)
        rank = fresh
        if moved < _CLOSE:
            break
    return rank


def communities(beside: Neighbours) -> dict[int, int]:
    """To which group each belongs, the largest group being 0."""
    label = {node: node for node in beside}
    for _ in range(_ROUNDS):
        changed = False
        for node in sorted(beside, key=lambda node: (-len(beside[node]), node)):
            counts = Counter(label[other] for other in beside[node])
            best = min(counts, key=lambda one: (-counts[one], one != label[node], one))
            if best != label[node]:
                label[node], changed = best, True
        if not changed:
            break
    sizes = Counter(label.values())
    order = {one: place for place, one in enumerate(sorted(sizes, key=lambda one: (-sizes[one], one)))}
    return {node: order[one] for node, one in label.items()}
