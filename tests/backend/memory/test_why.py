import pytest

from hearth_backend.memory.why import reasons
from hearth_shared.protocol.memory import Signals

pytestmark = pytest.mark.unit


def test_what_counted_most_comes_first_with_its_share() -> None:
    said = reasons(Signals(bm25=0.4, speaker=0.7, question=-0.2), "Ana")
    assert said == [
        "Ana said it, and the question names Ana (+0.70).",
        "It shares words with the question, or stands beside something that does (+0.40).",
        "It only asks something itself, which counts against it (-0.20).",
    ]


def test_what_did_not_count_is_not_said() -> None:
    assert reasons(Signals(bm25=0.001), "") == []


def test_every_signal_has_its_sentence() -> None:
    everything = Signals(**dict.fromkeys(Signals.model_fields, 0.5))
    assert len(reasons(everything, "", "Berta")) == len(Signals.model_fields)
