"""What a person sees: text in which nothing hides, colours only where they help, JSON where a program reads.

Every text passes `display` on its way out, because titles, quotes and answers come from pages and models.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from hearth_backend.cli.wrap import Wrap
from hearth_shared.display import display

STYLES = {
    "strong": "1",
    "muted": "2",
    "accent": "38;5;173",
    "ok": "32",
    "warn": "33",
    "danger": "31",
    "info": "34",
}
Part = str | tuple[str, str]
# What an answer may keep: no-break spaces, and what joins and colours emoji. Everything else hidden is shown.
_PROSE = "\n\t\u00a0\u202f\u200d\ufe0e\ufe0f"


class Terminal:
    """The three streams of this process."""

    def __init__(self, stdin: TextIO, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self._in = stdin
        self._out = out
        self._err = err
        self._environ = environ
        plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._coloured = out.isatty() and not plain
        self._moving = err.isatty() and out.isatty() and environ.get("TERM") != "dumb"
        self._status = ""
        self._answer = Wrap(None)

    @property
    def person_sits_here(self) -> bool:
        """Whether input comes from a keyboard and a person can see what is asked."""
        return self._in.isatty() and self._err.isatty()

    @property
    def input(self) -> TextIO:
        """Where a person types, or a program writes."""
        return self._in

    def for_person(self) -> "Terminal":
        """The same, where the person sees it even when standard output goes elsewhere."""
        return Terminal(self._in, self._err, self._err, self._environ)

    def say(self, *parts: Part) -> None:
        """One line; a part may be (text, style)."""
        self._settle()
        self._out.write("".join(self._shown(part, "\t\n") for part in parts) + "\n")

    def fold(self, *parts: Part, hanging: int = 0) -> None:
        """One line, broken between words where the window is too narrow for it; what goes on stands `hanging` in."""
        self._settle()
        wrap = Wrap(_columns(self._out, self._environ), hanging=hanging)
        line = "".join(self._shown(part, "\t\n") for part in parts)
        self._out.write(wrap.feed(line) + wrap.finish() + "\n")

    def stream(self, text: str) -> None:
        """A piece of an answer, at once; on a screen broken between words, so that its last word may wait."""
        self.clear_status()
        self._answer.width = _columns(self._out, self._environ)
        self._out.write(self._answer.feed(display(text, _PROSE)))
        self._out.flush()

    def table(self, rows: Sequence[Sequence[Part]]) -> None:
        """Columns as wide as their widest cell; each cell on one line."""
        texts = [[_one_line(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        for row, cells in zip(rows, texts, strict=True):
            padded = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)]
            padded[-1] = cells[-1]
            styled = [self._styled(text, _style(cell)) for text, cell in zip(padded, row, strict=True)]
            self._out.write("  ".join(styled).rstrip() + "\n")

    def json(self, value: Any, *, one_line: bool = False) -> None:
        """For a program; on a screen even JSON must not command the terminal."""
        text = json.dumps(value, ensure_ascii=self._out.isatty(), indent=None if one_line else 2)
        self._out.write(text + "\n")
        self._out.flush()

    def note(self, text: str) -> None:
        """A line beside the output, on stderr."""
        self.flush()
        wrap = Wrap(_columns(self._err, self._environ))
        self._err.write(wrap.feed(display(text)) + wrap.finish() + "\n")
        self._err.flush()

    def status(self, text: str) -> None:
        """What is being done now, on a line that goes away; nothing where lines cannot go away, or within one."""
        if self._moving and self._answer.at_line_start:
            self._err.write(f"\r\x1b[K\x1b[2m{display(text, keep='')}\x1b[0m")
            self._err.flush()
            self._status = text

    def clear_status(self) -> None:
        """Take the status line away."""
        if self._status:
            self._err.write("\r\x1b[K")
            self._err.flush()
            self._status = ""

    def flush(self) -> None:
        """Send what was written, and what still waited for the end of its word."""
        self._settle()
        self._out.flush()

    def _settle(self) -> None:
        self.clear_status()
        self._out.write(self._answer.finish())

    def _shown(self, part: Part, keep: str) -> str:
        text, style = part if isinstance(part, tuple) else (part, "")
        return self._styled(display(text, keep), style)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if style and text and self._coloured else text


def _columns(stream: TextIO, environ: Mapping[str, str]) -> int | None:
    """The width of the window; None where there is none."""
    if not stream.isatty():
        return None
    if (told := environ.get("COLUMNS", "")).isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except OSError:
        return None


def _one_line(cell: Part) -> str:
    text = cell[0] if isinstance(cell, tuple) else cell
    return display(" ".join(text.split()), keep="")


def _style(cell: Part) -> str:
    return cell[1] if isinstance(cell, tuple) else ""


def ago(at: float | None, now: float | None = None) -> str:
    """A time as a person says it."""
    if at is None:
        return "never"
    seconds = (time.time() if now is None else now) - at
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def span(seconds: float) -> str:
    """How long, in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(count: int) -> str:
    """Bytes in GB or MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def short(text: str, length: int = 160) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def standard() -> Terminal:
    """This process's own. A character the screen cannot show must not end the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    return Terminal(sys.stdin, sys.stdout, sys.stderr, os.environ)
