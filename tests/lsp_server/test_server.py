"""The server under pytest-lsp, a client that was not made for it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as T
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, client_capabilities

from support.backend import Backend
from support.editor import LIMIT_S, SERVER, play
from support.provider import words
from support.scripted_server import Held, Scripted

pytestmark = pytest.mark.editors

URI = "file:///w/demo.py"
TEXT = "import x\n\ndef add(a, b):\n    return \n"


@pytest.fixture
async def client(scripted: Backend) -> AsyncIterator[Any]:
    environ = {**os.environ, "HEARTH_HOME": str(scripted.home.root)}
    one: Any = await ClientServerConfig(server_command=list(SERVER), server_env=environ).start()
    one.idle, one.edits = asyncio.Event(), list[Any]()

    @one.feature("hearth/didChangeStatus")
    def _(params: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if params.state == "idle":
            one.idle.set()

    @one.feature(T.WORKSPACE_APPLY_EDIT)
    def _(params: T.ApplyWorkspaceEditParams) -> T.ApplyWorkspaceEditResult:  # pyright: ignore[reportUnusedFunction]
        one.edits.append(params)
        return T.ApplyWorkspaceEditResult(applied=True)

    abilities: Any = client_capabilities("visual-studio-code")  # of a time before ghost text
    abilities.text_document.inline_completion = T.InlineCompletionClientCapabilities()
    one.answer = await one.initialize_session(
        T.InitializeParams(capabilities=abilities, process_id=os.getpid(), root_uri="file:///w")
    )
    item = T.TextDocumentItem(uri=URI, language_id=T.LanguageKind.Python, version=1, text=TEXT)
    one.text_document_did_open(T.DidOpenTextDocumentParams(text_document=item))
    yield one
    await one.shutdown_session()
    await one.stop()


def inline(line: int, character: int) -> T.InlineCompletionParams:
    return T.InlineCompletionParams(
        context=T.InlineCompletionContext(trigger_kind=T.InlineCompletionTriggerKind.Invoked),
        text_document=T.TextDocumentIdentifier(uri=URI),
        position=T.Position(line=line, character=character),
    )


async def test_what_it_says_it_can(client: Any) -> None:
    can = client.answer.capabilities
    assert can.inline_completion_provider is not None
    assert can.hover_provider
    assert can.completion_provider is None  # this editor shows ghost text
    assert {"hearth.ask", "hearth.recall", "hearth.edit"} <= set(can.execute_command_provider.commands)
    assert client.answer.server_info.name == "hearth"


async def test_ghost_text(client: Any, scripted_model: Scripted) -> None:
    scripted_model.does(words("a + b"))
    found = await client.text_document_inline_completion_async(inline(3, 11))
    assert found.items[0].insert_text == "a + b"


async def test_a_cancelled_request(client: Any, scripted_model: Scripted) -> None:
    held = Held()
    scripted_model.does(held)
    asked = client.protocol.send_request_async(T.TEXT_DOCUMENT_INLINE_COMPLETION, inline(3, 11), msg_id="slow")
    future = asyncio.ensure_future(asked)
    await held.begun()
    client.cancel_request(T.CancelParams(id="slow"))
    with pytest.raises(JsonRpcException) as refused:
        await future
    assert refused.value.code == -32800
    await held.ended()


async def test_an_edit_with_progress(client: Any, scripted_model: Scripted) -> None:
    scripted_model.does(words("```\ndef add(a, b):\n    return a + b\n```"))
    span = T.Range(start=T.Position(line=2, character=0), end=T.Position(line=4, character=0))
    actions = await client.text_document_code_action_async(
        T.CodeActionParams(
            text_document=T.TextDocumentIdentifier(uri=URI), range=span, context=T.CodeActionContext(diagnostics=[])
        )
    )
    assert "Hearth: edit this by instruction…" in [action.title for action in actions]
    where = {name: {"line": at.line, "character": 0} for name, at in (("start", span.start), ("end", span.end))}
    arguments = [{"uri": URI, "range": where, "instruction": "return the sum"}]
    answer = await client.workspace_execute_command_async(
        T.ExecuteCommandParams(command="hearth.edit", arguments=arguments)
    )
    assert answer == {"applied": True}
    assert client.edits[0].edit.document_changes[0].edits[0].new_text == "    return a + b\n"
    (reports,) = client.progress_reports.values()
    assert [type(report) for report in (reports[0], reports[-1])] == [T.WorkDoneProgressBegin, T.WorkDoneProgressEnd]


async def test_the_status_is_told(client: Any, scripted_model: Scripted) -> None:
    scripted_model.does(words("Yes."))
    answer = await client.workspace_execute_command_async(
        T.ExecuteCommandParams(command="hearth.ask", arguments=["Is it so?"])
    )
    assert answer["text"] == "Yes."
    async with asyncio.timeout(LIMIT_S):
        await client.idle.wait()


def test_a_session_can_be_played_for_somebody_to_read(
    scripted: Backend, scripted_model: Scripted, tmp_path: Path
) -> None:
    scripted_model.does(words("return a"), words("It adds [1]."))
    path = tmp_path / "add.py"
    path.write_text("def add(a):\n    ", "utf-8")
    told = play(scripted.home, path, "What does add do?")
    assert told.status["state"] == "idle"
    assert told.completion == "return a"
    assert told.answer["text"] == "It adds [1]."
    assert "  It adds [1]." in told.lines
    assert told.lines[-1] == "the server ended with status 0"
