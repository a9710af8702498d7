from typing import Any

import pytest

from support.backend import Backend
from support.editor import GHOSTS, Refused, editor, span, started
from support.provider import words
from support.scripted_server import Scripted

pytestmark = pytest.mark.editors

URI = "file:///w/a.py"


@pytest.mark.parametrize(
    ("body", "code", "identifier"),
    [
        (b"{not json", -32700, None),
        (b"\xff\xfe", -32700, None),
        (b"[" * 100_000, -32700, None),
        (b"[]", -32600, None),
        (b"42", -32600, None),
        (b"{}", -32600, None),
        (b'{"jsonrpc": "1.0", "id": 900, "method": "shutdown"}', -32600, 900),
        (b'{"jsonrpc": "2.0", "id": 900, "method": 7}', -32600, 900),
        (b'{"jsonrpc": "2.0", "id": 900, "method": "no/such"}', -32601, 900),
        (b'{"jsonrpc": "2.0", "id": 900, "method": "textDocument/hover", "params": {}}', -32602, 900),
        (b'{"jsonrpc": "2.0", "id": 900, "method": "textDocument/hover", "params": 3}', -32602, 900),
        (b'{"jsonrpc": "2.0", "id": 900, "method": "initialize", "params": {"capabilities": {}}}', -32600, 900),
        (
            b'{"jsonrpc": "2.0", "id": 900, "method": "workspace/executeCommand", "params": {"command": "rm"}}',
            -32602,
            900,
        ),
    ],
)
async def test_what_is_malformed_is_answered_and_the_session_goes_on(
    body: bytes, code: int, identifier: int | None, bare: Backend
) -> None:
    async with editor(bare.home) as one:
        one.send_bytes(body)
        one.open(URI, "x\n")
        assert await one.actions(URI, span(0, 0, 0, 1))
        (stray,) = one.stray
        assert (stray["error"]["code"], stray["id"]) == (code, identifier)
        assert "raceback" not in str(stray)
        assert await one.leave() == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc": "2.0", "method": "no/such", "params": {"a": 1}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": 4}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument":'
        b' {"uri": "file:///no", "version": 1}, "contentChanges": [{"text": "x"}]}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didClose", "params": {"textDocument": {"uri": "file:///no"}}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didFocus", "params": null}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didShowCompletion", "params": {"item": {}}}',
        b'{"jsonrpc": "2.0", "method": "textDocument/didPartiallyAcceptCompletion", "params": {"acceptedLength": 3}}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 12345}}',
        b'{"jsonrpc": "2.0", "method": "window/workDoneProgress/cancel", "params": {"token": "x"}}',
        b'{"jsonrpc": "2.0", "method": "workspace/didChangeConfiguration", "params": {"settings": [1]}}',
        b'{"jsonrpc": "2.0", "id": 77, "result": {}}',
        b'{"jsonrpc": "2.0", "id": 77, "error": {"code": 1, "message": "x"}}',
    ],
)
async def test_what_is_only_told_is_never_answered(body: bytes, bare: Backend) -> None:
    async with editor(bare.home) as one:
        one.send_bytes(body)
        assert await one.leave() == 0
        assert one.stray == []
        assert [said for said in one.said if said["method"] == "window/showMessage"] == []


async def test_nothing_is_done_before_the_session_begins_nor_after_it_ended(bare: Backend) -> None:
    async with started(bare.home) as one:
        with pytest.raises(Refused) as early:
            await one.command("hearth.status")
        assert early.value.code == -32002
        await one.begin()
        await one.request("shutdown", None)
        with pytest.raises(Refused) as late:
            await one.command("hearth.status")
        assert late.value.code == -32600


@pytest.mark.parametrize(
    "capabilities", [None, [], {"textDocument": 3, "general": {"positionEncodings": [1]}}, {"x": {}}]
)
async def test_capabilities_of_any_shape_begin_a_session(capabilities: Any, bare: Backend) -> None:
    async with started(bare.home) as one:
        answer = await one.begin(capabilities)
        assert answer["capabilities"]["positionEncoding"] == "utf-16"
        assert answer["capabilities"]["completionProvider"]


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 13), ("utf-16", 10), ("utf-32", 9)])
async def test_every_encoding_of_positions(
    encoding: str, character: int, scripted: Backend, scripted_model: Scripted
) -> None:
    scripted_model.does(words("!"))
    capabilities = {**GHOSTS, "general": {"positionEncodings": [encoding]}}
    text = "x\r\ns = 'é😀, '\r\n"
    async with started(scripted.home) as one:
        answer = await one.begin(capabilities)
        assert answer["capabilities"]["positionEncoding"] == encoding
        one.open(URI, text)
        place = {"line": 1, "character": character}
        one.change(URI, 2, {"range": {"start": place, "end": place}, "text": "ü"})
        await one.inline(
            URI, 1, character + len("ü".encode(encoding + "-le" * (encoding != "utf-8"))) // _unit(encoding)
        )
    asked = scripted_model.model.calls[-1].body
    assert (asked["prompt"], asked["suffix"]) == ("x\ns = 'é😀, ü", "'\n")


def _unit(encoding: str) -> int:
    return {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]


@pytest.mark.parametrize(
    ("line", "character", "before"),
    [(0, 99, "a😀b"), (99, 99, "a😀b\nc"), (0, 2, "a"), (0, 3, "a😀"), (1, 1, "a😀b\nc")],
)
async def test_positions_beyond_an_end_or_inside_a_character(
    line: int, character: int, before: str, scripted: Backend, scripted_model: Scripted
) -> None:
    scripted_model.does(words("x"))
    async with editor(scripted.home) as one:
        one.open(URI, "a😀b\nc")
        await one.inline(URI, line, character)
    assert scripted_model.model.calls[-1].body["prompt"] == before


async def test_an_unknown_file_has_nothing(bare: Backend) -> None:
    async with editor(bare.home) as one:
        assert await one.inline("file:///no", 0, 0) == []
        assert await one.hover("file:///no", 0, 0) == ""
        assert await one.actions("file:///no", span(0, 0, 0, 0)) == []
        answer = await one.command("hearth.edit", {"uri": "file:///no", "range": span(0, 0, 0, 0), "instruction": "x"})
        assert answer["problem"]["code"] == "bad_request"


async def test_a_file_of_five_megabytes_is_typed_in(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("done"))
    line = "value = compute('ä', 1)\r\n"
    text = line * (5_000_000 // len(line))
    last = text.count("\n")
    async with editor(scripted.home) as one:
        one.open(URI, text)
        for number in range(100):
            place = {"line": last, "character": number}
            one.change(URI, number + 2, {"range": {"start": place, "end": place}, "text": "y"})
        items = await one.inline(URI, last, 100)
    assert items[0]["insertText"] == "done"
    asked = scripted_model.model.calls[-1].body["prompt"]
    assert asked.endswith("\n" + "y" * 100)
    assert len(asked) <= 16_000


async def test_half_a_character_in_a_file_does_not_reach_the_wire(scripted: Backend, scripted_model: Scripted) -> None:
    scripted_model.does(words("x"))
    async with editor(scripted.home) as one:
        one.open(URI, "a = '\ud83d'\n")
        assert await one.inline(URI, 0, 7)
    assert scripted_model.model.calls[-1].body["prompt"] == "a = '\ufffd'"
