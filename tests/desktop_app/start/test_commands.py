import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop.start.commands import KNOWN, LONGEST, Arguments, Command, encoded, from_arguments, read
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], Arguments(Command("show"))),
        (["--background"], Arguments(None)),
        (["toggle"], Arguments(Command("toggle"))),
        (["--background", "inbox"], Arguments(Command("inbox"))),
        (["ask", "what", "--is", "this"], Arguments(Command("ask", "what --is this"))),
        (["ask"], Arguments(Command("ask"))),
        (["--help"], Arguments(None, help=True)),
    ],
)
def test_a_command_line_is_understood(words: list[str], expected: Arguments) -> None:
    assert from_arguments(words) == expected


@pytest.mark.parametrize("words", [["dance"], ["--loud"], ["inbox", "now"], ["ask", "x" * LONGEST], [""]])
def test_a_wrong_command_line_is_refused_with_a_reason(words: list[str]) -> None:
    with pytest.raises(BadRequest) as refused:
        from_arguments(words)
    assert refused.value.fix


@given(st.text(max_size=500))
def test_a_question_arrives_as_it_was_asked(text: str) -> None:
    command = Command("ask", text)
    assert read(encoded(command)) == command
    assert encoded(command).count(b"\n") == 1


@pytest.mark.parametrize("do", [do for do in KNOWN if do != "ask"])
def test_every_other_wish_arrives(do: str) -> None:
    assert read(encoded(Command(do))) == Command(do)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_no_line_does_more_than_be_refused(line: bytes) -> None:
    with suppress(BadRequest):
        assert read(line).do in KNOWN


@pytest.mark.parametrize(
    "line", [b"", b"[" * 100_000, b'{"do": 1}', b'{"do": "ask", "text": 1}', b'{"do": "rm"}', b"7"]
)
def test_a_malformed_line_is_refused(line: bytes) -> None:
    with pytest.raises(BadRequest):
        read(line)
