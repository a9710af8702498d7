"""Turns a conversation into the prompt a model was trained on, by the chat template in its file.

A template is a program out of a downloaded file: it runs in Jinja's immutable sandbox, where reaching for Python's
insides ends it, and the caller bounds its time and memory.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hearth_shared.errors import BadModelFile, BadRequest

CHATML = """\
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
_SYSTEM = ("system", "developer")
_LONGEST = 16 * 1024 * 1024
OTHER_FILE = "Use another copy of this model: this one cannot be trusted."

Messages = Sequence[Mapping[str, Any]]


class _Refused(Exception):
    """The template itself said no (`raise_exception`)."""


class _Sandbox(ImmutableSandboxedEnvironment):
    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        """Stop at once: by default the forbidden thing would print as nothing and the template would go on."""
        raise SecurityError(f"it reaches for {attribute!r} of a {type(obj).__name__}")


class ChatTemplate:
    """One model's template; ChatML where the file has none or one that cannot be read (then `note` says so)."""

    def __init__(self, source: str, *, bos: str = "", eos: str = "") -> None:
        self._sandbox = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
        self._sandbox.filters["tojson"] = _to_json
        self._given = {"bos_token": bos, "eos_token": eos, "raise_exception": _refuse, "strftime_now": _now}
        self.note = ""
        self.source = source or CHATML
        try:
            self._template = self._sandbox.from_string(self.source)
        except (TemplateSyntaxError, RecursionError) as error:
            self.note = f"its chat template cannot be read ({error}), so ChatML is used"
            self.source = CHATML
            self._template = self._sandbox.from_string(CHATML)

    def render(self, messages: Messages, tools: Sequence[Mapping[str, Any]] = ()) -> str:
        """The prompt, ready for the answer. Raises BadRequest when the template refuses this conversation."""
        try:
            return self._render(messages, tools)
        except _Refused as refusal:
            folded = _without_system(messages)
            if folded is None:
                raise _unsuitable(str(refusal)) from None
        try:
            return self._render(folded, tools)
        except _Refused as refusal:
            raise _unsuitable(str(refusal)) from None

    def _render(self, messages: Messages, tools: Sequence[Mapping[str, Any]]) -> str:
        parts: list[str] = []
        size = 0
        try:
            for part in self._template.generate(
                messages=[_readable(message) for message in messages],
                tools=list(tools) or None,
                add_generation_prompt=True,
                **self._given,
            ):
                size += len(part)
                if size > _LONGEST:
                    raise BadModelFile("The chat template of this model writes without end.", OTHER_FILE)
                parts.append(part)
        except SecurityError as error:
            raise BadModelFile(
                f"The chat template of this model tries to leave its sandbox: {error}.", OTHER_FILE
            ) from None
        except OverflowError as error:
            raise BadModelFile(f"The chat template of this model does not end: {error}.", OTHER_FILE) from None
        except (TemplateError, TypeError, ValueError, LookupError, RecursionError, AttributeError) as error:
            raise _unsuitable(str(error)) from error
        return "".join(parts)


def _refuse(reason: str) -> NoReturn:
    raise _Refused(reason)


def _unsuitable(reason: str) -> BadRequest:
    return BadRequest(
        f"The model's chat template does not take this conversation: {reason}.",
        "Send user and assistant messages in turn, or choose another model.",
    )


def _now(form: str) -> str:
    return datetime.datetime.now().astimezone().strftime(form)


def _to_json(value: Any, indent: int | None = None, **_options: Any) -> str:
    """Jinja's own would escape `<` for HTML, which no model was trained on."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _readable(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as templates expect it: text where there is none, and tool arguments as an object."""
    ready: dict[str, Any] = {**message, "content": message.get("content") or ""}
    if ready.get("role") == "developer":  # OpenAI's newer word for it, which templates do not know
        ready["role"] = "system"
    if calls := message.get("tool_calls"):
        ready["tool_calls"] = [_readable_call(call) for call in calls]
    return ready


def _readable_call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call.get("function") or {})
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError):
        return dict(call)
    return {**call, "function": {**function, "arguments": arguments}}


def _without_system(messages: Messages) -> list[dict[str, Any]] | None:
    """For templates without a system role: its text before the first user message. None: there is nothing to fold."""
    system = [message for message in messages if message.get("role") in _SYSTEM]
    rest = [dict(message) for message in messages if message.get("role") not in _SYSTEM]
    first = next((message for message in rest if message.get("role") == "user"), None)
    if not system or first is None:
        return None
    first["content"] = "\n\n".join([*(message.get("content") or "" for message in system), first.get("content") or ""])
    return rest
