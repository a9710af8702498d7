import pytest

from hearth_backend.api.compat.likelihoods import of_chat, of_completion
from hearth_backend.gateway.messages import Likelihood

pytestmark = pytest.mark.unit

HALF = b"\xc3".decode("utf-8", "surrogateescape")
FOUND = (Likelihood("he", -0.5, (("he", -0.5), ("x", -2.0))), Likelihood(HALF, -1.0))


def test_a_chat_tells_every_token_with_its_bytes() -> None:
    told = of_chat(FOUND)
    assert told is not None
    first, second = told["content"]
    assert (first["token"], first["logprob"], first["bytes"]) == ("he", -0.5, [104, 101])
    assert first["top_logprobs"][1] == {"token": "x", "logprob": -2.0, "bytes": [120]}
    assert (second["token"], second["bytes"], second["top_logprobs"]) == ("\ufffd", [0xC3], [])


def test_a_completion_tells_columns() -> None:
    assert of_completion(FOUND, begins_at=3) == {
        "tokens": ["he", "\ufffd"],
        "token_logprobs": [-0.5, -1.0],
        "top_logprobs": [{"he": -0.5, "x": -2.0}, {}],
        "text_offset": [3, 5],
    }


def test_without_any_there_is_nothing_to_tell() -> None:
    assert of_chat(()) is None
    assert of_completion(()) is None
