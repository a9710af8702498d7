"""Why a hit ranks where it does, in sentences for a person, what counted most first. Pure."""

from collections.abc import Mapping
from typing import Final

from hearth_shared.protocol.memory import Signals

_LEAST: Final = 0.005
_SENTENCES: Final[Mapping[str, str]] = {
    "bm25": "It shares words with the question, or stands beside something that does",
    "bm25_window": "Together with what was said around it, it shares words with the question",
    "dense": "Its meaning is near the question's",
    "dense_window": "The meaning of what was said around it is near the question's",
    "speaker": "{speaker} said it, and the question names {speaker}",
    "date": "It is from the time that the question names, or shortly after",
    "session": "Much of the same conversation fits the question",
    "time": "It tells a time, which the question asks for",
    "question": "It only asks something itself, which counts against it",
    "hop": "It speaks of {bridge}, which the first findings led to",
}


def reasons(signals: Signals, speaker: str, bridge: str = "") -> list[str]:
    """One sentence for each signal that counted, with its share of the score."""
    shares = {name: share for name, share in signals if abs(share) >= _LEAST}
    ordered = sorted(shares, key=lambda name: -abs(shares[name]))
    who, over = speaker or "The one who is asked about", bridge or "something"
    return [f"{_SENTENCES[name].format(speaker=who, bridge=over)} ({shares[name]:+.2f})." for name in ordered]
