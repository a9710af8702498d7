"""The `openai` SDK against llama.cpp itself, with a small generated model."""

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from hearth_shared.protocol.principals import Scope
from support import tools
from support.backend import running
from support.gguf_files import TINY, generated, tiny

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    tools.need("llama_cpp")
    home: Path = tmp_path_factory.mktemp("engine") / "home"
    (home / "models").mkdir(parents=True)
    (home / "models" / f"{TINY}.gguf").symlink_to(generated(TINY, tiny()))
    with running(home) as backend:
        token = backend.token(Scope.CHAT, Scope.COMPLETE).text
        with openai.OpenAI(base_url=f"{backend.url}/v1", api_key=token, max_retries=0) as client:
            yield client


def test_the_model_is_listed_as_a_test_model(sdk: openai.OpenAI) -> None:
    listed = {model.id: model.to_dict() for model in sdk.models.list()}
    assert listed[TINY]["test_model"] is True


def test_tokens_stream_and_are_counted(sdk: openai.OpenAI) -> None:
    chunks = list(
        sdk.chat.completions.create(
            model=TINY,
            messages=[{"role": "user", "content": "hi"}],
            max_tokens=8,
            seed=1,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert chunks[-1].usage is not None
    assert 1 <= chunks[-1].usage.completion_tokens <= 8
    assert {choice.finish_reason for chunk in chunks for choice in chunk.choices} & {"stop", "length"}


def test_a_seed_makes_the_same_answer_again(sdk: openai.OpenAI) -> None:
    texts = {
        sdk.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "hi"}], max_tokens=12, seed=7, temperature=1.0
        )
        .choices[0]
        .message.content
        for _ in range(2)
    }
    assert len(texts) == 1


def test_a_text_is_filled_in_between(sdk: openai.OpenAI) -> None:
    done = sdk.completions.create(model=TINY, prompt="def add(a, b):\n", suffix="\n", max_tokens=6, temperature=0)
    assert done.choices[0].finish_reason in ("stop", "length")
    assert done.usage is not None
    assert done.usage.completion_tokens <= 6
