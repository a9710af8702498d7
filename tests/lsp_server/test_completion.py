import asyncio
from pathlib import Path
from typing import Any

import pytest

from hearth_lsp.backend import Backend as LookedFor
from hearth_lsp.completion import Completer
from hearth_lsp.document import Place
from hearth_lsp.documents import Documents
from hearth_lsp.options import Options
from hearth_lsp.status import StatusLine
from support import tools
from support.backend import Backend, running
from support.editor import GHOSTS, Editor, Refused, at, editor, span
from support.gguf_files import TINY
from support.provider import refuses, words
from support.scripted_server import Gated, Held, Scripted

pytestmark = pytest.mark.editors

URI = "file:///w/a.py"
PLAIN = {**GHOSTS, "textDocument": {**GHOSTS["textDocument"], "inlineCompletion": None}}


class Recording(LookedFor):
    """A backend that always completes alike, and remembers what it was asked."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def ask(self, method: str, path: str, body: Any = None, *, limit: float = 60.0) -> Any:
        self.bodies.append(body)
        return {"text": "helper()", "finish_reason": "stop"}


async def nothing() -> None:
    """Nobody waits."""


def typed(text: str, line: int, character: int) -> dict[str, Any]:
    """A keystroke."""
    place = {"line": line, "character": character}
    return {"range": {"start": place, "end": place}, "text": text}


def automatic(one: Editor, line: int, character: int) -> int:
    """A request that the editor makes by itself while the person types."""
    return one.ask("textDocument/inlineCompletion", at(URI, line, character) | {"context": {"triggerKind": 2}})


async def test_the_model_fills_in_at_the_cursor(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("a, b", "):\n    return a + b\n"))
    async with editor(scripted.home) as one:
        one.open(URI, "def add(\n\nadd(1, 2)\n")
        items = await one.inline(URI, 0, 8)
    assert items[0]["insertText"] == "a, b):\n    return a + b"
    assert items[0]["range"] == {"start": {"line": 0, "character": 8}, "end": {"line": 0, "character": 8}}
    asked = scripted_model.model.calls[-1].body
    assert (asked["prompt"], asked["suffix"]) == ("def add(", "\n\nadd(1, 2)\n")


async def test_nothing_is_asked_about_a_file_of_secrets(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("x"))
    async with editor(scripted.home, folder="file:///w") as one:
        one.open("file:///w/.env", "PASSWORD=tulip\n")
        assert await one.inline("file:///w/.env", 0, 3) == []
        assert await one.actions("file:///w/.env", span(0, 0, 0, 3)) == []
    assert scripted_model.model.calls == []


async def test_other_open_files_lie_beside_but_not_those_of_secrets() -> None:
    backend, documents = Recording(), Documents()
    documents.set_folders(["file:///w"])
    documents.open("file:///w/.env", "PASSWORD=tulip\n", 1, "")
    documents.open("file:///w/lib/b.py", "def helper(): ...\n", 1, "python")
    documents.open(URI, "import b\nb.", 1, "python")
    status = StatusLine(backend, lambda shown: None, lambda error: None, nothing)
    completer = Completer(backend, documents, status, Options)
    document = documents.get(URI)
    assert document is not None
    assert await completer.suggest(document, Place(1, 2), asked=True) == "helper()"
    assert backend.bodies[0]["context"] == [{"name": "lib/b.py", "text": "def helper(): ...\n"}]


async def test_what_is_typed_along_a_suggestion_asks_nobody(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("a, b):"))
    async with editor(scripted.home) as one:
        one.open(URI, "def add(")
        await one.inline(URI, 0, 8, asked=False)
        one.change(URI, 2, typed("a, ", 0, 8))
        items = await one.inline(URI, 0, 11, asked=False)
    assert items[0]["insertText"] == "b):"
    assert len(scripted_model.model.calls) == 1


async def test_the_last_keystroke_wins_and_the_others_get_nothing(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("two"))
    async with editor(scripted.home, options={"completion": {"debounceMs": 2000}}) as one:
        one.open(URI, "on")
        requests: list[int] = []
        for number in range(19):
            one.change(URI, number + 2, typed("x", 0, 2 + number))
            requests.append(automatic(one, 0, 3 + number))
        one.change(URI, 21, typed("x", 0, 21))
        last = await one.inline(URI, 0, 22)  # asked for by hand, which waits for no pause in the typing
        answers = [await one.answer_to(request) for request in requests]
    assert [answer["items"] for answer in answers] == [[]] * 19
    assert [item["insertText"] for item in last] == ["two"]
    assert len(scripted_model.model.calls) == 1


async def test_a_newer_keystroke_ends_the_models_work(scripted: Backend, scripted_model: Scripted) -> None:
    held = Held()
    scripted_model.does(held, words("new"))
    async with editor(scripted.home) as one:
        one.open(URI, "a\nb\n")
        older = one.ask("textDocument/inlineCompletion", at(URI, 0, 1) | {"context": {"triggerKind": 1}})
        await held.begun()
        newer = await one.inline(URI, 1, 1)
        assert (await one.answer_to(older))["items"] == []
        await held.ended()
    assert newer[0]["insertText"] == "new"


async def test_a_cancelled_request_ends_the_models_work(scripted: Backend, scripted_model: Scripted) -> None:
    held = Held()
    scripted_model.does(held)
    async with editor(scripted.home) as one:
        one.open(URI, "a\n")
        request = one.ask("textDocument/inlineCompletion", at(URI, 0, 1) | {"context": {"triggerKind": 1}})
        await held.begun()
        one.cancel(request)
        with pytest.raises(Refused) as refused:
            await one.answer_to(request)
        assert refused.value.code == -32800
        await held.ended()


async def test_a_suggestion_for_a_text_that_has_changed_is_not_shown(
    scripted: Backend, scripted_model: Scripted
) -> None:
    late = Gated(words("late"))
    scripted_model.does(late)
    async with editor(scripted.home) as one:
        one.open(URI, "a\n")
        request = automatic(one, 0, 1)
        await late.begun()
        one.change(URI, 2, typed("b", 0, 1))
        await one.actions(URI, span(0, 0, 0, 1))  # answered once the change was taken
        late.go_on()
        assert (await one.answer_to(request))["items"] == []


async def test_two_editors_with_one_file_are_not_in_each_others_way(
    scripted: Backend, scripted_model: Scripted
) -> None:
    scripted_model.does(words("ok"))
    async with editor(scripted.home) as one, editor(scripted.home) as other:
        one.open(URI, "a\n", version=50)
        other.open(URI, "a\n", version=1)
        both = await asyncio.gather(one.inline(URI, 0, 1), other.inline(URI, 0, 1))
    assert [items[0]["insertText"] for items in both] == ["ok", "ok"]


async def test_what_an_open_menu_would_insert_is_gone_on_from(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("(1)"))
    async with editor(scripted.home) as one:
        one.open(URI, "x.ap\n")
        word = {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 4}}
        items = await one.inline(URI, 0, 4, selectedCompletionInfo={"range": word, "text": "append"})
    assert items == [{"insertText": "append(1)", "range": word}]
    assert scripted_model.model.calls[-1].body["prompt"] == "x.append"


async def test_an_editor_without_ghost_text_has_it_in_its_menu(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("end(1)\nx.pop()"))
    async with editor(scripted.home, PLAIN) as one:
        one.open(URI, "x.app\r\n")
        found = await one.request("textDocument/completion", at(URI, 0, 5))
    (item,) = found["items"]
    assert item["label"] == "append(1)"
    assert item["filterText"] == "app"
    assert item["textEdit"]["newText"] == "append(1)\r\nx.pop()"
    assert item["textEdit"]["range"]["start"] == {"line": 0, "character": 2}


async def test_completion_can_be_switched_off_and_still_be_asked_for(
    scripted: Backend, scripted_model: Scripted
) -> None:
    scripted_model.does(words("x"))
    async with editor(scripted.home, options={"completion": {"enabled": False}}) as one:
        one.open(URI, "a\n")
        assert await one.inline(URI, 0, 1, asked=False) == []
        assert (await one.inline(URI, 0, 1))[0]["insertText"] == "x"
        one.notify("workspace/didChangeConfiguration", {"settings": {"hearth": {"completion": {"enabled": True}}}})
        assert (await one.inline(URI, 0, 1, asked=False))[0]["insertText"] == "x"


async def test_without_a_model_nothing_comes_and_the_status_says_why(bare: Backend) -> None:
    async with editor(bare.home) as one:
        await one.state("no model")
        one.open(URI, "def add(\n")
        assert await one.inline(URI, 0, 8, asked=False) == []
        assert await one.inline(URI, 0, 8, asked=False) == []
        assert [said["method"] for said in one.said if said["method"] == "window/showMessage"] == []
        assert await one.inline(URI, 0, 8) == []
        said = await one.told("window/showMessage")
    assert "No language model is connected for inline completion" in said["message"]


async def test_a_model_that_fails_is_told_in_the_status(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(refuses(400, "no such thing"))
    async with editor(scripted.home) as one:
        await one.state("idle")
        one.open(URI, "def add(\n")
        assert await one.inline(URI, 0, 8, asked=False) == []
        status = await one.told("hearth/didChangeStatus", lambda shown: "Nothing is completed" in shown["message"])
        assert status["kind"] == "Inactive"
        scripted_model.does(words("a"))
        since = len(one.said)
        assert await one.inline(URI, 0, 8, asked=False)
        await one.told("hearth/didChangeStatus", lambda shown: shown["kind"] == "Normal", since=since)


async def test_a_model_of_this_machine_completes(tmp_path: Path, tiny_gguf: Path) -> None:
    tools.need("llama_cpp")
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    (home / "models" / f"{TINY}.gguf").symlink_to(tiny_gguf)
    with running(home) as backend:
        async with editor(backend.home) as one:
            status = await one.told("hearth/didChangeStatus", lambda shown: shown["model"])
            assert status["model"] == TINY
            one.open(URI, "def add(a, b):\n    return \n")
            items = await one.inline(URI, 1, 11)
            assert await one.leave() == 0
        rows = backend.door().get("/v1/usage").json()["rows"]
    assert (rows[0]["door"], rows[0]["role"], rows[0]["ok"]) == ("editor", "complete", True)
    assert len(items) in (0, 1)  # its weights are random: what it writes may not be worth showing
