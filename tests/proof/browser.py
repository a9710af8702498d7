"""The browser: a page is summed up, kept, and cited by its address, in the extension's real side panel."""

from proof.chapter import Chapter
from proof.scene import FACT, PAGE_FACT, PAGE_QUESTION, QUESTION, Scene
from support.browser import Chromium, Panel, chromium


def play(scene: Scene) -> Chapter:
    """Debian's Chromium, headless, with the unpacked extension; paired in one click."""
    chapter = Chapter("browser", "In the browser, beside the page")
    with chromium(scene.folder / "browser", scene.backend.home) as browser:
        browser.page.goto(scene.page_url)
        panel = browser.side_panel()
        panel.pair()
        chapter.say(f"the page in front: {scene.page_url}\npaired in one click, through the native host")
        _told_elsewhere(chapter, panel)
        _keep_the_page(chapter, browser, panel, scene)
    return chapter


def _told_elsewhere(chapter: Chapter, panel: Panel) -> None:
    asked = panel.ask(QUESTION)
    chapter.say(asked.transcript)
    chapter.show("light", "The side panel answers from what was told in the terminal.", asked.screenshot)
    panel.look("dark")
    chapter.show("dark", "The same in the dark.", panel.screenshot())
    panel.look("light")
    chapter.check("it cites what was told in the terminal", FACT in asked.answer + "".join(asked.sources))


def _keep_the_page(chapter: Chapter, browser: Chromium, panel: Panel, scene: Scene) -> None:
    chapter.say(panel.remember())
    panel.click("#notice button:last-of-type")
    asked = panel.ask(PAGE_QUESTION)
    chapter.say(asked.transcript)
    chapter.show("page", "A page that was kept is cited by its address.", panel.screenshot())
    chapter.check("the page's fact is in the answer", PAGE_FACT in asked.answer + "".join(asked.sources))
    found = scene.backend.door("cli").post("/v1/memory/search", json={"query": PAGE_QUESTION}).json()["results"]
    kept = [hit for hit in found if hit["source"] == scene.page_url]
    chapter.check(
        "it is kept with the page's address, as text that nobody vouches for", bool(kept) and not kept[0]["trusted"]
    )
