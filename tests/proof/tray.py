"""The tray's window, drawn without a display: a fact and a page from other doors, cited with where they came from."""

from hearth_shared.theme import Scheme
from proof.chapter import Chapter
from proof.scene import FACT, PAGE_FACT, PAGE_QUESTION, QUESTION, Scene
from support.tray_chat import TrayChat


def play(scene: Scene) -> Chapter:
    """Ask twice, look at the sources, in light and dark."""
    chapter = Chapter("tray", "In the tray's window")
    with TrayChat(scene.backend.home) as chat:
        told = chat.ask(QUESTION)
        chapter.say(told.transcript)
        page = chat.ask(PAGE_QUESTION)
        chapter.say(page.transcript)
        chat.show_sources()
        chapter.show("light", "The page that the browser kept, cited in the tray with its address.", chat.picture())
    with TrayChat(scene.backend.home, scheme=Scheme.DARK) as chat:
        chat.open(told.thread_id)
        chapter.show("dark", "The threads of every door, in the dark.", chat.picture())
    chapter.check("it cites what was told in the terminal", FACT in [source["quote"] for source in told.sources])
    cited = [source for source in page.sources if scene.page_url in str(source)]
    chapter.check("it cites the page with its address", bool(cited) and PAGE_FACT in str(cited))
    chapter.check("threads begun in other doors are in its list", len(page.threads) > 2)
    return chapter
