"""One brain: what the browser kept is cited in the editor and in the terminal, and forgotten everywhere at once."""

import asyncio
import json

from proof.chapter import Chapter
from proof.scene import PAGE_FACT, PAGE_QUESTION, Scene
from support.command import hearth
from support.editor import editor as session
from support.tray_chat import TrayChat

_DOORS = ("terminal", "editor", "tray")


def play(scene: Scene) -> Chapter:
    """Ask in three doors, forget in one, ask in all again."""
    chapter = Chapter("everywhere", "One brain behind all of them")
    before = _asked(scene)
    chapter.say(f"after the browser kept the page:\n{_shown(before)}")
    for door, sources in before.items():
        chapter.check(f"{door}: the page is cited with its address", scene.page_url in sources)
    ids = _kept(scene)
    said = hearth(scene.backend, "memory", "forget", *ids)
    chapter.say(f"$ hearth memory forget {' '.join(ids)}\n{said.out}")
    after = _asked(scene)
    chapter.say(f"after it was forgotten:\n{_shown(after)}")
    for door, sources in after.items():
        chapter.check(f"{door}: forgotten here too", scene.page_url not in sources and PAGE_FACT not in sources)
    threads = scene.backend.door("tray").get("/v1/threads").json()["threads"]
    doors = sorted({thread["door"] for thread in threads})
    chapter.say(f"threads of all doors, in one list: {', '.join(doors)}")
    chapter.check("threads begun in four doors stand in one list", {"browser", "cli", "editor", "tray"} <= set(doors))
    return chapter


def _kept(scene: Scene) -> list[str]:
    episodes = scene.backend.door("cli").get("/v1/memory/episodes?limit=200").json()["episodes"]
    return [episode["id"] for episode in episodes if episode["source"] == scene.page_url]


def _asked(scene: Scene) -> dict[str, str]:
    """What each door cites for the page's question, as JSON text."""
    terminal = json.loads(hearth(scene.backend, "ask", PAGE_QUESTION, "--json").out)["answer"]["sources"]
    with TrayChat(scene.backend.home) as chat:
        tray = chat.ask(PAGE_QUESTION).sources
    editor = asyncio.run(_in_editor(scene))
    return {door: json.dumps(sources) for door, sources in zip(_DOORS, (terminal, editor, tray), strict=True)}


async def _in_editor(scene: Scene) -> list[dict[str, object]]:
    async with session(scene.backend.home, options={"answers": "client"}) as one:
        answer = await one.command("hearth.ask", {"text": PAGE_QUESTION, "token": "proof"})
    return answer.get("sources", [])


def _shown(sources: dict[str, str]) -> str:
    return "\n".join(
        f"  {door}: {', '.join(str(one.get('location') or one.get('title')) for one in json.loads(text)) or 'nothing'}"
        for door, text in sources.items()
    )
