"""Chat templates: programs out of downloaded files."""

from typing import Any

import pytest

from hearth_backend.engine.templates import CHATML, ChatTemplate
from hearth_shared.errors import BadModelFile, BadRequest

pytestmark = pytest.mark.unit
HELLO = [{"role": "user", "content": "hello"}]


def test_messages_are_laid_out_as_the_template_says() -> None:
    template = ChatTemplate(
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}", bos="<s>"
    )
    assert template.render(HELLO) == "<s>[user] hello"


def test_without_a_template_chatml_is_spoken() -> None:
    assert ChatTemplate("").render(HELLO) == "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"


def test_a_template_that_cannot_be_read_is_replaced_and_that_is_said() -> None:
    template = ChatTemplate("{% for x in %}")
    assert template.source == CHATML
    assert "ChatML" in template.note
    assert "hello" in template.render(HELLO)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ raise_exception.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self.__init__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'role': 'system'}) }}",
    ],
)
def test_a_template_that_reaches_for_pythons_insides_is_refused(source: str) -> None:
    with pytest.raises(BadModelFile, match="sandbox") as refusal:
        ChatTemplate(source).render(HELLO)
    assert refusal.value.fix


@pytest.mark.parametrize("source", ["{% for i in range(10**9) %}x{% endfor %}", "{{ range(10**12)|list }}"])
def test_a_loop_beyond_reason_is_refused(source: str) -> None:
    with pytest.raises(BadModelFile, match="does not end"):
        ChatTemplate(source).render(HELLO)


def test_a_template_that_writes_without_end_is_refused() -> None:
    source = "{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}"
    with pytest.raises(BadModelFile, match="without end"):
        ChatTemplate(source).render(HELLO)


def test_a_conversation_that_the_template_does_not_take_is_the_askers_to_change() -> None:
    with pytest.raises(BadRequest, match="roles must alternate"):
        ChatTemplate("{{ raise_exception('roles must alternate') }}").render(HELLO)


def test_a_template_without_a_system_role_gets_its_text_before_the_first_question() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "[{{ m.role }}]{{ m.content }}{% endfor %}"
    )
    messages = [{"role": "developer", "content": "be kind"}, *HELLO]
    assert ChatTemplate(source).render(messages) == "[user]be kind\n\nhello"


def test_tools_and_calls_are_objects_and_json_is_not_escaped_for_html() -> None:
    source = "{{ tools | tojson }}{% for c in messages[0].tool_calls %}{{ c.function.arguments.path }}{% endfor %}"
    call: Any = {"function": {"name": "f", "arguments": '{"path": "<a>"}'}}
    rendered = ChatTemplate(source).render([{"role": "assistant", "tool_calls": [call]}], [{"name": "é<"}])
    assert rendered == '[{"name": "é<"}]<a>'


def test_a_missing_content_is_empty_text() -> None:
    assert ChatTemplate("{{ messages[0].content }}").render([{"role": "user", "content": None}]) == ""


def test_time_can_be_told() -> None:
    assert ChatTemplate("{{ strftime_now('%Y') }}").render(HELLO).isdigit()
