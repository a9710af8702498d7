"""The `openai` SDK against llama.cpp itself, with a small generated model."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice

from hearth_shared.protocol.principals import Scope
from support import tools
from support.backend import Backend, running
from support.gguf_files import TINY, bert, generated, tiny

pytestmark = pytest.mark.engine
BERT = "hearth-test-bert"
HI = [{"role": "user", "content": "hi"}]
LONG: Any = [
    {"role": "system", "content": "be brief"},
    *({"role": role, "content": f"{at} " + "word " * 60} for at in range(60) for role in ("user", "assistant")),
    {"role": "user", "content": "and now?"},
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    tools.need("llama_cpp")
    home: Path = tmp_path_factory.mktemp("engine") / "home"
    (home / "models").mkdir(parents=True)
    for name, make in ((TINY, tiny()), (BERT, bert)):
        (home / "models" / f"{name}.gguf").symlink_to(generated(name, make))
    with running(home, f'[models]\nembed = "{BERT}"\n') as backend:
        yield backend


@pytest.fixture(scope="module")
def sdk(house: Backend) -> Iterator[openai.OpenAI]:
    token = house.token(Scope.CHAT, Scope.COMPLETE).text
    with openai.OpenAI(base_url=f"{house.url}/v1", api_key=token, max_retries=0) as client:
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


def chat(sdk: openai.OpenAI, **asked: Any) -> ChatCompletion:
    """A whole answer; the SDK's overloads know no arguments that are put together."""
    create: Any = sdk.chat.completions.create
    return create(model=TINY, **{"messages": HI, "temperature": 0, **asked})


def chat_choices(sdk: openai.OpenAI, **asked: Any) -> list[Choice]:
    """A streamed one."""
    create: Any = sdk.chat.completions.create
    chunks: list[ChatCompletionChunk] = list(create(model=TINY, stream=True, **{"messages": HI, **asked}))
    return [choice for chunk in chunks for choice in chunk.choices]


def complete(sdk: openai.OpenAI, **asked: Any) -> Completion:
    create: Any = sdk.completions.create
    return create(model=TINY, **{"prompt": "y = ", "max_tokens": 6, "temperature": 0, **asked})


def test_likelihoods_come_with_a_whole_answer_and_with_a_streamed_one(sdk: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"max_tokens": 6, "temperature": 0, "logprobs": True, "top_logprobs": 2}
    whole = chat(sdk, **asked).choices[0]
    assert whole.logprobs is not None
    told = whole.logprobs.content or []
    assert len(told) == 6
    assert b"".join(bytes(one.bytes or []) for one in told).decode("utf-8", "replace") == whole.message.content
    assert all(one.top_logprobs[0].logprob == one.logprob <= 0 and len(one.top_logprobs) == 2 for one in told)
    streamed = [
        one for choice in chat_choices(sdk, **asked) if choice.logprobs for one in choice.logprobs.content or []
    ]
    assert [one.bytes for one in streamed] == [one.bytes for one in told]
    assert chat(sdk, max_tokens=2).choices[0].logprobs is None


def test_likelihoods_come_with_a_completion(sdk: openai.OpenAI) -> None:
    whole = complete(sdk, logprobs=3).choices[0]
    assert whole.logprobs is not None
    assert "".join(whole.logprobs.tokens or []) == whole.text
    assert all(len(others) == 3 for others in whole.logprobs.top_logprobs or [])
    create: Any = sdk.completions.create
    chunks: list[Completion] = list(
        create(model=TINY, prompt="y = ", max_tokens=6, temperature=0, logprobs=3, stream=1)
    )
    streamed = [one.logprobs for chunk in chunks for one in chunk.choices if one.logprobs]
    assert [token for one in streamed for token in one.tokens or []] == whole.logprobs.tokens


def test_several_choices_are_made_side_by_side(sdk: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"max_tokens": 8, "temperature": 1, "seed": 3, "n": 3}
    whole = chat(sdk, **asked)
    texts = [choice.message.content or "" for choice in whole.choices]
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    assert len({*texts}) > 1
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 8
    streamed = ["", "", ""]
    for choice in chat_choices(sdk, **asked):
        streamed[choice.index] += choice.delta.content or ""
    assert streamed == texts


def test_a_bias_a_stop_and_a_penalty_do_what_they_say(sdk: openai.OpenAI) -> None:
    told: Any = sdk.post("/tokenize", body={"text": "x", "model": TINY}, cast_to=object)
    token = str(told["tokens"][0])
    assert complete(sdk, logit_bias={token: 100}).choices[0].text == "xxxxxx"
    assert complete(sdk, logit_bias={token: 100}, stop="xx").choices[0].text == ""
    pushed = complete(sdk, logit_bias={token: 20}, extra_body={"repeat_penalty": 10.0})
    assert pushed.choices[0].text.count("x") < 6


def test_a_conversation_that_is_too_long_is_refused_with_both_numbers(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        chat(sdk, messages=LONG, max_tokens=4)
    assert refused.value.code == "context_length_exceeded"
    numbers = [int(text.replace(",", "")) for text in re.findall(r"[\d,]+(?= tokens)", refused.value.message)]
    assert len(numbers) == 2
    assert numbers[0] > numbers[1] == 4096


@pytest.mark.parametrize("budget", [{"truncation": "auto"}, {"truncate_prompt_tokens": 500}])
def test_it_is_cut_to_the_callers_budget_and_what_gave_way_is_told(sdk: openai.OpenAI, budget: dict[str, Any]) -> None:
    answer = chat(sdk, messages=LONG, max_tokens=4, extra_body=budget)
    assert answer.usage is not None
    most: int = budget.get("truncate_prompt_tokens", 4096 - 4)
    assert most // 2 < answer.usage.prompt_tokens <= most
    details: Any = answer.usage.to_dict()["prompt_tokens_details"]
    assert details["left_out_messages"] > 10


def test_a_budget_that_the_last_message_breaks_is_refused(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="cannot be left out"):
        chat(sdk, messages=LONG, extra_body={"truncate_prompt_tokens": 8})


def test_a_plain_text_is_cut_only_when_the_caller_says_so(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        complete(sdk, prompt="x = 1\n" * 3000)
    assert refused.value.code == "context_length_exceeded"
    answer = complete(sdk, prompt="x = 1\n" * 3000, extra_body={"truncate_prompt_tokens": 300})
    assert answer.usage is not None
    assert answer.usage.prompt_tokens <= 300


def test_an_embedding_model_of_this_machine_is_listed_and_embeds(sdk: openai.OpenAI) -> None:
    listed = {model.id: model.to_dict() for model in sdk.models.list()}
    assert (listed[BERT]["roles"], listed[BERT]["context"]) == (["embed"], 512)
    by_default = sdk.embeddings.create(model="auto", input=["the sea", "import os"])
    named = sdk.embeddings.create(model=BERT, input=["the sea", "import os"], encoding_format="float")
    assert by_default.model == named.model == BERT
    assert [len(one.embedding) for one in named.data] == [64, 64]
    for one, other in zip(by_default.data, named.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-5)
    assert named.usage.prompt_tokens > 4
    with pytest.raises(openai.BadRequestError, match="64 dimensions"):
        sdk.embeddings.create(model=BERT, input="x", dimensions=384)
    with pytest.raises(openai.NotFoundError):
        sdk.embeddings.create(model=TINY, input="x")


def test_a_text_that_is_too_long_to_embed_harms_nobody(sdk: openai.OpenAI) -> None:
    long = sdk.embeddings.create(model=BERT, input=["a" * 900_000, "short"])
    assert len(long.data) == 2
    assert sdk.embeddings.create(model=BERT, input="short").data[0].embedding == pytest.approx(
        long.data[1].embedding, abs=0.01
    )


def test_memory_embeds_with_the_model_that_was_chosen(house: Backend) -> None:
    parts = {part["name"]: part for part in house.door().get("/v1/status").json()["components"]}
    assert parts["embedder"]["state"] == "ok"
    assert parts["embedder"]["detail"].startswith(f"{BERT}.")
    episode = {"external_id": "1", "text": "The boat is red.", "speaker": "me", "occurred_at": 1.7e9}
    kept = house.door().post("/v1/memory/episodes", json={"space": "main", "episodes": [episode]})
    assert kept.status_code < 300, kept.text
    found: dict[str, Any] = {"degraded": ["not asked yet"]}
    for _ in range(5000):  # what is stored is embedded in the background, once somebody asked
        found = house.door().post("/v1/memory/search", json={"space": "main", "query": "red boat"}).json()
        if not found["degraded"]:
            break
    assert not found["degraded"]
    assert "The boat is red." in [hit["text"] for hit in found["results"]]
    assert house.door().get(f"/v1/model-files/{BERT}").json()["loaded"]
