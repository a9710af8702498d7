import dataclasses

import pytest
from pydantic import TypeAdapter, ValidationError

from hearth_backend.api.compat.bodies import ChatBody, CompletionBody, EmbeddingBody
from hearth_backend.gateway.messages import ChatMessage, Sampling, ToolCall
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit

CHAT, COMPLETION, EMBEDDING = TypeAdapter(ChatBody), TypeAdapter(CompletionBody), TypeAdapter(EmbeddingBody)
HI = '"messages":[{"role":"user","content":"hi"}]'


def messages(text: str) -> list[ChatMessage]:
    body = CHAT.validate_json(f'{{"messages":[{text}]}}')
    return [said.message(number) for number, said in enumerate(body.messages)]


def test_unknown_fields_are_ignored_everywhere() -> None:
    body = CHAT.validate_json(f'{{{HI},"user":"me","store":true,"metadata":{{}},"reasoning_effort":"low"}}')
    assert body.messages[0].content == "hi"
    assert messages('{"role":"user","content":"hi","annotations":[],"audio":null}') == [ChatMessage("user", "hi")]


def test_content_may_come_in_parts() -> None:
    parts = '[{"type":"text","text":"one"},{"type":"text","text":"two"}]'
    assert messages(f'{{"role":"user","content":{parts}}}')[0].content == "one\ntwo"


def test_what_is_not_text_is_refused_by_its_place() -> None:
    picture = '[{"type":"image_url","image_url":{"url":"data:"}}]'
    with pytest.raises(BadRequest) as refused:
        messages(f'{{"role":"system","content":"x"}},{{"role":"user","content":{picture}}}')
    assert refused.value.data["field"] == "messages.1"


def test_the_developer_speaks_as_the_system_and_a_function_as_a_tool() -> None:
    roles = [message.role for message in messages('{"role":"developer","content":"x"},{"role":"function","name":"f"}')]
    assert roles == ["system", "tool"]


def test_an_assistants_calls_and_a_tools_answer_go_through() -> None:
    call = '{"id":"a","type":"function","function":{"name":"look","arguments":"{}"}}'
    said = messages(f'{{"role":"assistant","content":null,"tool_calls":[{call}]}},{{"role":"tool","tool_call_id":"a"}}')
    assert said[0].tool_calls == (ToolCall("a", "look", "{}"),)
    assert said[1].tool_call_id == "a"


@pytest.mark.parametrize("stop", ['"END"', '["END"]', '["END",""]'])
def test_a_stop_may_be_one_text_or_several(stop: str) -> None:
    assert CHAT.validate_json(f'{{{HI},"stop":{stop}}}').sampling(None).stop == ("END",)


@pytest.mark.parametrize("field", ['"top_logprobs":2', '"logit_bias":{"word":-100}'])
def test_what_cannot_be_honoured_is_refused_with_the_fix(field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        CHAT.validate_json(f"{{{HI},{field}}}").refuse_what_cannot_be()
    assert refused.value.fix
    assert refused.value.data["field"] in field


@pytest.mark.parametrize(
    "field",
    [
        '"n":1',
        '"n":8',
        '"n":null',
        '"logprobs":false',
        '"logprobs":true,"top_logprobs":20',
        '"logit_bias":{}',
        '"logit_bias":{"50256":-100}',
        '"stop":null',
    ],
)
def test_the_same_fields_asking_for_nothing_are_fine(field: str) -> None:
    CHAT.validate_json(f"{{{HI},{field}}}").refuse_what_cannot_be()


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"messages":[]}',
        '{"messages":[{"role":"king","content":"x"}]}',
        f'{{{HI},"temperature":3}}',
        f'{{{HI},"temperature":NaN}}',
        f'{{{HI},"top_p":-1}}',
        f'{{{HI},"max_tokens":0}}',
        f'{{{HI},"seed":1e300}}',
        f'{{{HI},"stop":[1]}}',
        f'{{{HI},"n":0}}',
        f'{{{HI},"n":9}}',
        f'{{{HI},"top_logprobs":21}}',
        f'{{{HI},"truncation":"some"}}',
        f'{{{HI},"truncate_prompt_tokens":0}}',
    ],
)
def test_values_out_of_range_are_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        CHAT.validate_json(body)


@pytest.mark.parametrize(
    ("field", "budget"),
    [
        ('"n":1', None),
        ('"truncation":"auto"', 0),
        ('"truncation":"disabled"', None),
        ('"truncate_prompt_tokens":99', 99),
        ('"truncation":"auto","truncate_prompt_tokens":99', 99),
    ],
)
def test_a_prompt_is_cut_when_the_caller_says_so(field: str, budget: int | None) -> None:
    assert CHAT.validate_json(f"{{{HI},{field}}}").budget(None) == budget


def test_every_way_of_sampling_reaches_the_model() -> None:
    fields = (
        '"temperature":0.5,"top_p":0.6,"top_k":7,"min_p":0.1,"frequency_penalty":1,"presence_penalty":-1,"seed":3,'
        '"stop":"x","logit_bias":{"5":2},"repeat_penalty":1.5'
    )
    sampling = CHAT.validate_json(f"{{{HI},{fields}}}").sampling(9, 4)
    assert sampling == Sampling(9, 0.5, 0.6, 7, 0.1, 1, -1, 3, ("x",), ((5, 2.0),), 1.5, 4)
    assert None not in dataclasses.astuple(sampling)


@pytest.mark.parametrize("prompt", ['"x"', '["x"]'])
def test_a_prompt_is_one_text(prompt: str) -> None:
    assert COMPLETION.validate_json(f'{{"prompt":{prompt}}}').text() == "x"


@pytest.mark.parametrize("prompt", ['["x","y"]', "[1,2]", "[[1]]", "[]"])
def test_several_prompts_and_token_ids_are_refused(prompt: str) -> None:
    with pytest.raises(BadRequest):
        COMPLETION.validate_json(f'{{"prompt":{prompt}}}').text()


@pytest.mark.parametrize("field", ['"echo":true', '"best_of":2'])
def test_a_completion_refuses_what_it_cannot_do(field: str) -> None:
    with pytest.raises(BadRequest):
        COMPLETION.validate_json(f'{{"prompt":"x",{field}}}').refuse_what_cannot_be()


@pytest.mark.parametrize("given", ["[1,2]", "[[1]]", "[]", '""', '["x",""]', '["x",1]'])
def test_embeddings_take_texts_alone(given: str) -> None:
    with pytest.raises(BadRequest) as refused:
        EMBEDDING.validate_json(f'{{"input":{given}}}').texts()
    assert refused.value.data["field"] == "input"


def test_too_many_texts_are_refused() -> None:
    with pytest.raises(BadRequest):
        EmbeddingBody(input=["x"] * 2049).texts()
