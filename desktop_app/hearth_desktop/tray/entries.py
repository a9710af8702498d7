"""What stands in the tray's menu: plain values, so that it can be read without a menu. Pure."""

from collections.abc import Sequence
from typing import Final

from hearth_desktop.tray.situation import Link, Situation
from hearth_shared.display import display
from hearth_shared.wire import Thread

_LONGEST: Final = 44


def title_of(thread: Thread) -> str:
    """A thread on one line of the menu; an ampersand would make the next letter a key."""
    title = display(thread["title"].strip(), keep="") or "Untitled"
    return cut(title).replace("&", "&&")


def cut(text: str, longest: int = _LONGEST) -> str:
    """At a word where there is one near the end."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    space = head.rfind(" ")
    return f"{head[: space if space > longest // 2 else longest - 1].rstrip()}…"


def inbox(situation: Situation) -> str:
    """The inbox with what waits in it."""
    return f"&Inbox ({len(situation.pending)})" if situation.pending else "&Inbox"


def headline(situation: Situation) -> str:
    """The first line: how Hearth is."""
    return situation.words.replace("&", "&&")


def answers(situation: Situation) -> str:
    """The second line: who answers; empty when there is nothing to say."""
    if situation.link is not Link.CONNECTED or not situation.model:
        return ""
    return f"Answers: {display(situation.model, keep='')}".replace("&", "&&")


def can_start(situation: Situation) -> bool:
    """Whether the person has to start Hearth."""
    return situation.link in (Link.STOPPED, Link.FAILED)


def tooltip(situation: Situation) -> str:
    """What the icon says in words, with what to do when Hearth is not there."""
    return "\n".join(filter(None, (situation.words, situation.trouble if can_start(situation) else "")))


def titles(threads: Sequence[Thread]) -> list[tuple[str, str]]:
    """Id and title of each thread of the menu."""
    return [(thread["id"], title_of(thread)) for thread in threads]
