from typing import Any

import pytest

from support.backend import Backend
from support.editor import GHOSTS, Editor, editor, span
from support.provider import words
from support.scripted_server import Gated, Scripted

pytestmark = pytest.mark.editors

URI = "file:///w/a.py"
TEXT = "import x\r\n\r\ndef f():\r\n    return 1\r\n"
UNVERSIONED = {**GHOSTS, "workspace": {"applyEdit": True}}


async def edited(one: Editor, **others: Any) -> Any:
    one.open(URI, TEXT)
    return await one.command(
        "hearth.edit", {"uri": URI, "range": span(2, 0, 4, 0), "instruction": "return 2", **others}
    )


async def test_a_selection_is_edited_by_instruction(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("Here you are:\n```python\ndef f():\n", "    return 2\n```\n"))
    async with editor(scripted.home, folder="file:///w") as one:
        assert await edited(one) == {"applied": True}
        asked = await one.was_asked("workspace/applyEdit")
    (change,) = asked["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 1}
    assert change["edits"] == [{"range": span(3, 0, 4, 0), "newText": "    return 2\r\n"}]
    prompt = scripted_model.model.calls[-1].body["messages"]
    assert prompt[1]["content"].endswith("The person's instruction: return 2")
    assert "The file a.py (python)" in prompt[1]["content"]


async def test_an_editor_without_versions_gets_plain_changes(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("```\ndef f():\n    return 2\n```"))
    async with editor(scripted.home, UNVERSIONED) as one:
        await edited(one)
        asked = await one.was_asked("workspace/applyEdit")
    assert list(asked["edit"]["changes"]) == [URI]


async def test_the_person_is_asked_when_there_is_no_instruction(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("```\ndef f():\n    return 2\n```"))
    async with editor(scripted.home) as one:
        one.answers["window/showMessageRequest"] = lambda asked: asked["actions"][1]
        assert (await edited(one, instruction=""))["applied"]
    assert scripted_model.model.calls[-1].body["messages"][1]["content"].endswith("instruction: Simplify")


async def test_a_person_who_says_nothing_changes_nothing(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("x"))
    async with editor(scripted.home) as one:
        assert await edited(one, instruction="") == {"applied": False}
    assert scripted_model.model.calls == []


async def test_what_a_tool_reports_is_fixed(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("```\nimport y\n\ndef f():\n    return 1\n```"))
    problem = {"range": span(0, 7, 0, 8), "message": "No module named x", "source": "pyflakes", "severity": 1}
    async with editor(scripted.home) as one:
        one.open(URI, TEXT)
        (action,) = await one.actions(URI, span(0, 7, 0, 7), [problem], only=["quickfix"])
        assert action["title"] == "Hearth: fix “No module named x”"
        assert action["diagnostics"] == [problem]
        command = action["command"]
        assert (await one.command(command["command"], *command["arguments"])) == {"applied": True}
        asked = await one.was_asked("workspace/applyEdit")
    assert asked["edit"]["documentChanges"][0]["edits"] == [{"range": span(0, 0, 1, 0), "newText": "import y\r\n"}]
    prompt = scripted_model.model.calls[-1].body["messages"][1]["content"]
    assert "report of pyflakes\nNo module named x\n" in prompt


async def test_an_answer_without_a_text_to_put_in_changes_nothing(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("I would rather not."))
    async with editor(scripted.home) as one:
        answer = await edited(one)
        said = await one.told("window/showMessage")
        assert one.asked == [each for each in one.asked if each["method"] != "workspace/applyEdit"]
    assert answer["problem"]["code"] == "model_failed"
    assert "nothing was changed" in said["message"]


async def test_a_text_that_was_changed_meanwhile_is_left_alone(scripted: Backend, scripted_model: Scripted) -> None:
    slow = Gated(words("```\ndef f():\n    return 2\n```"))
    scripted_model.does(slow)
    async with editor(scripted.home) as one:
        one.open(URI, TEXT)
        asked = {"uri": URI, "range": span(2, 0, 4, 0), "instruction": "return 2"}
        request = one.ask("workspace/executeCommand", {"command": "hearth.edit", "arguments": [asked]})
        await slow.begun()
        one.change(URI, 2, {"range": span(0, 0, 0, 0), "text": "# new\r\n"})
        await one.actions(URI, span(0, 0, 0, 1))  # answered once the change was taken
        slow.go_on()
        answer = await one.answer_to(request)
    assert answer["problem"]["code"] == "conflict"


async def test_an_editor_that_refuses_an_edit_is_told(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("```\ndef f():\n    return 2\n```"))
    async with editor(scripted.home) as one:
        one.answers["workspace/applyEdit"] = lambda _: {"applied": False}
        assert "did not take" in (await edited(one))["problem"]["detail"]


async def test_without_a_model_an_edit_says_what_to_do(bare: Backend) -> None:
    async with editor(bare.home) as one:
        answer = await edited(one)
        said = await one.told("window/showMessage")
    assert answer["problem"]["code"] == "no_model"
    assert said["message"].startswith("No language model is connected")
    assert "GGUF" in said["message"]


async def test_completion_by_command_where_there_is_no_ghost_text(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("b):\n    pass\n"))
    async with editor(scripted.home, UNVERSIONED) as one:
        one.open(URI, "def f(\r\n")
        assert (await one.command("hearth.complete", {"uri": URI, "range": span(0, 6, 0, 6)}))["applied"]
        asked = await one.was_asked("workspace/applyEdit")
    assert asked["edit"]["changes"][URI] == [{"range": span(0, 6, 0, 6), "newText": "b):\r\n    pass"}]


ARGUMENTS: list[list[Any]] = [
    [],
    [None],
    [3],
    [[]],
    [{"uri": 3}],
    [{"uri": URI, "range": "x"}],
    [{"uri": URI, "range": {"start": {"line": "a"}}, "instruction": 3, "message": []}],
    [{"ids": "abc", "text": {}, "thread_id": [], "token": {}}],
]


async def test_no_arguments_break_a_command(bare: Backend) -> None:
    async with editor(bare.home) as one:
        one.open(URI, TEXT)
        for name in ("ask", "explain", "fix", "edit", "complete", "recall", "forget", "threads", "status"):
            for arguments in ARGUMENTS:
                assert isinstance(await one.command(f"hearth.{name}", *arguments), dict)
