import fcntl
import io
import json
import os
import pty
import struct
import termios

import pytest

from hearth_backend.cli.terminal import Terminal, ago, short, size, span

pytestmark = pytest.mark.unit


class Screen(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


def terminal(out: io.StringIO, err: io.StringIO | None = None) -> Terminal:
    return Terminal(io.StringIO(), out, err or io.StringIO(), {})


def test_a_line_has_its_parts() -> None:
    out = io.StringIO()
    terminal(out).say("Hearth is ", ("idle", "muted"), ".")
    assert out.getvalue() == "Hearth is idle.\n"


@pytest.mark.parametrize(("environ", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_are_for_screens_that_want_them(environ: dict[str, str], coloured: bool) -> None:
    out = Screen()
    Terminal(io.StringIO(), out, io.StringIO(), environ).say(("fault", "danger"))
    assert ("\x1b[31m" in out.getvalue()) is coloured


@pytest.mark.parametrize("attack", ["\x1b]0;owned\x07", "\x9b2J", "safe\rrm", "\u202ekcatta", "\u200b"])
def test_no_text_commands_the_terminal(attack: str) -> None:
    out = io.StringIO()
    shown = terminal(out)
    shown.say(attack, (attack, "danger"))
    shown.stream(attack)
    shown.note(attack)
    shown.table([[attack, attack]])
    assert attack not in out.getvalue()
    assert "⟦U+" in out.getvalue()


def test_an_answer_keeps_its_emoji_and_no_break_spaces() -> None:
    out = io.StringIO()
    terminal(out).stream("⚠\ufe0f 👩\u200d💻 10\u202f000")
    assert out.getvalue() == "⚠\ufe0f 👩\u200d💻 10\u202f000"


def test_columns_line_up_and_cells_stay_on_one_line() -> None:
    out = io.StringIO()
    terminal(out).table([("a", "one\ntwo"), (("long", "ok"), "x")])
    assert out.getvalue() == "a     one two\nlong  x\n"


def test_json_on_a_screen_is_plain_ascii_and_elsewhere_text() -> None:
    screen, file = Screen(), io.StringIO()
    terminal(screen).json({"t": "é\x9b"})
    terminal(file).json({"t": "é"}, one_line=True)
    assert screen.getvalue().isascii()
    assert json.loads(screen.getvalue()) == {"t": "é\x9b"}
    assert file.getvalue() == '{"t": "é"}\n'


def test_a_status_goes_away_before_the_next_line() -> None:
    out, err = Screen(), Screen()
    shown = terminal(out, err)
    shown.status("thinking…")
    shown.say("Done.")
    assert err.getvalue().endswith("\r\x1b[K")


def test_without_a_screen_there_is_no_status() -> None:
    err = io.StringIO()
    terminal(io.StringIO(), err).status("thinking…")
    assert err.getvalue() == ""


def narrow(out: io.StringIO, err: io.StringIO | None = None) -> Terminal:
    return Terminal(io.StringIO(), out, err or Screen(), {"COLUMNS": "20", "NO_COLOR": "1"})


def test_on_a_screen_an_answer_is_broken_between_words() -> None:
    out = Screen()
    shown = narrow(out)
    shown.stream("The lease ends in Ma")
    assert out.getvalue() == "The lease ends in"
    shown.stream("y, with")
    shown.say("")
    assert out.getvalue() == "The lease ends in\nMay, with\n"


def test_elsewhere_an_answer_passes_as_it_comes() -> None:
    out = io.StringIO()
    narrow(out).stream("The lease ends in May, with")
    assert out.getvalue() == "The lease ends in May, with"


def test_a_line_is_folded_with_its_colours_and_beside_the_output_too() -> None:
    out, err = Screen(), Screen()
    Terminal(io.StringIO(), out, err, {"COLUMNS": "16"}).fold(("[1] ", "accent"), ("the lease ends", "strong"))
    assert out.getvalue() == "\x1b[38;5;173m[1] \x1b[0m\x1b[1mthe lease\n    ends\x1b[0m\n"
    narrow(out, err).note("big did not answer: small goes on.")
    assert err.getvalue() == "big did not answer:\nsmall goes on.\n"


def test_what_waits_is_shown_before_a_prompt_or_a_note() -> None:
    out = Screen()
    shown = narrow(out)
    shown.stream("Type accept: ")
    shown.flush()
    assert out.getvalue() == "Type accept: "
    shown.stream("Well")
    shown.note("\nIt broke off.")
    assert out.getvalue() == "Type accept: Well"


def test_a_status_does_not_wipe_a_line_that_is_being_written() -> None:
    out, err = Screen(), Screen()
    shown = narrow(out, err)
    shown.stream("Let me see")
    shown.status("using clock…")
    assert err.getvalue() == ""
    shown.stream(".\n")
    shown.status("using clock…")
    assert "using clock…" in err.getvalue()


def test_the_width_is_that_of_the_window() -> None:
    inner, outer = pty.openpty()
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 9, 16, 0, 0))
    with open(outer, "w", encoding="utf-8") as screen:
        Terminal(io.StringIO(), screen, io.StringIO(), {"NO_COLOR": "1"}).fold("the lease ends in May")
        screen.flush()
        assert os.read(inner, 100) == b"the lease ends\r\nin May\r\n"
    os.close(inner)


def test_what_a_person_must_see_goes_where_the_person_is() -> None:
    out, err = io.StringIO(), Screen()
    terminal(out, err).for_person().say("the card")
    assert (out.getvalue(), err.getvalue()) == ("", "the card\n")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (180, "3 min"), (7300, "2 h"), (200_000, "2 d")]
)
def test_times_are_said_in_their_largest_unit(seconds: float, said: str) -> None:
    assert span(seconds) == said
    assert ago(1000 - seconds, now=1000) == f"{said} ago"


def test_times_to_come_and_never() -> None:
    assert (ago(1180, now=1000), ago(None)) == ("in 3 min", "never")


def test_sizes_and_short_texts() -> None:
    assert (size(2_500_000_000), size(1_500_000)) == ("2.5 GB", "1.5 MB")
    assert (short("a  b\nc"), short("word " * 10, 10)) == ("a b c", "word word…")
