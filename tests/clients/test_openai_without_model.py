"""The `openai` SDK against a backend that has no language model: it says so, and still embeds."""

import openai
import pytest

from hearth_shared.protocol.principals import Scope
from support.backend import Backend

pytestmark = pytest.mark.clients


@pytest.fixture
def sdk(backend: Backend) -> openai.OpenAI:
    token = backend.token(Scope.CHAT, Scope.COMPLETE).text
    return openai.OpenAI(base_url=f"{backend.url}/v1", api_key=token, max_retries=0)


def test_a_conversation_is_told_what_is_missing_and_how_to_get_it(sdk: openai.OpenAI) -> None:
    with sdk, pytest.raises(openai.InternalServerError) as refused:
        sdk.chat.completions.create(model="auto", messages=[{"role": "user", "content": "hi"}])
    assert refused.value.status_code == 503
    assert refused.value.code == "no_model"
    assert "hearth keys set" in refused.value.message


def test_a_stream_is_refused_before_it_begins(sdk: openai.OpenAI) -> None:
    with sdk, pytest.raises(openai.InternalServerError) as refused:
        sdk.completions.create(model="auto", prompt="def f(", suffix=")", stream=True)
    assert refused.value.code == "no_model"
