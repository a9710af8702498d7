"""Which signals make a rank, and how much each counts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """Weights tuned on the development conversations of `make bench-memory`; zero switches a signal off.

    Recency is not among them on purpose: it hurts every question about the past.
    """

    bm25: float = 1.0
    bm25_window: float = 0.0
    dense: float = 1.0
    dense_window: float = 0.8
    speaker: float = 0.7
    date: float = 0.8
    session: float = 0.2
    time: float = 0.4
    question: float = -0.2
    hop: float = 0.5
    # share of the neighbours at distance 1 and 2 inside a session: answers stand next to what was asked
    smooth: tuple[float, ...] = (0.5, 0.25)
    date_slack_days: int = 15


FULL = Recipe()
# with vectors the words of the window no longer pay; without them they do
WORDS_ONLY = Recipe(bm25_window=0.5, dense=0.0, dense_window=0.0, speaker=0.5, date=0.6, time=0.3, question=-0.15)
RRF_K = 10  # the usual 60 is too flat for short lists
