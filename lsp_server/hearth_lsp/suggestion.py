"""What of a model's continuation is worth showing at the cursor. Pure."""

from typing import NamedTuple

from hearth_lsp.cutting import Cut


class Suggestion(NamedTuple):
    """A text for a cut, kept so that what is typed along it needs no model."""

    cut: Cut
    text: str

    def typed_on(self, cut: Cut) -> str:
        """What is left of it when the person has typed its beginning; empty when they typed something else."""
        if cut.after != self.cut.after or not cut.before.startswith(self.cut.before):
            return ""
        typed = cut.before[len(self.cut.before) :]
        return self.text[len(typed) :] if typed and self.text.startswith(typed) else ""


def worth_showing(text: str, cut: Cut, *, whole: bool) -> str:
    """The part of a continuation to show; empty when there is none.

    `whole` is false when the model was stopped in the middle: then its last line is dropped, if there are others.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    rest = cut.after.split("\n", 1)[0]
    if rest.strip():
        return _in_line(text.split("\n", 1)[0], rest)
    if not whole and "\n" in text.strip("\n"):
        text = text.rstrip("\n").rsplit("\n", 1)[0]
    text = text.rstrip()
    return "" if not text.strip() or _says_again(text, cut) else text


def _in_line(text: str, rest: str) -> str:
    """Between two parts of a line: without what stands behind the cursor already."""
    for size in range(min(len(text), len(rest)), 0, -1):
        if text.endswith(rest[:size]):
            text = text[:-size]
            break
    return text if text.strip() else ""


def _says_again(text: str, cut: Cut) -> bool:
    """Whether it only repeats the lines that follow, or the one before."""
    said = text.strip()
    following = cut.after.strip()
    if following and following.startswith(said):
        return True
    lines = cut.before.rstrip("\n").split("\n")
    return cut.before.endswith("\n") and said == lines[-1].strip()
