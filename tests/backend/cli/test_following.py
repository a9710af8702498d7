from typing import Any

import pytest

from hearth_backend.cli.following import build_words, download_words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"state": "looking", "source": "a/b"}, "Looking for a/b…"),
        ({"state": "checking", "file": "b.gguf", "total": 5_000_000_000}, "Checking b.gguf (5.0 GB)…"),
        (
            {"state": "fetching", "file": "b", "done": 0, "total": 0, "rate": 0.0, "left_s": None},
            "b  0.0 MB of 0.0 MB  0 %",
        ),
    ],
)
def test_how_far_a_download_is(told: dict[str, Any], words: str) -> None:
    assert download_words(told) == words


def test_how_far_a_build_is() -> None:
    told = {"backend": "cuda", "stage": "Fetching", "percent": None, "seconds": 3.0, "left_s": None}
    assert build_words(told) == "cuda: Fetching, 3 s so far"
