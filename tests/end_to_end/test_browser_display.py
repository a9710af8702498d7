"""Chromium on a display of its own: the real menu of a real page, and no right to read but what a click gives."""

from pathlib import Path

import pytest

from support.backend import running
from support.browser import chromium
from support.website import website
from support.xsession import desktop, wait_until

pytestmark = pytest.mark.browsers

PAGE = (
    "<!doctype html><title>The crane</title><h1 id=h style='margin:0;font-size:40px'>Lindholm</h1>"
    "<p>The harbour crane of Lindholm lifts forty tonnes.</p>"
)


def test_the_menu_on_a_selection_opens_the_panel_with_it_and_lets_this_page_be_read(tmp_path: Path) -> None:
    with (
        desktop(tmp_path, tray=False, bus=False) as session,
        running(tmp_path / "home") as house,
        website({"/": PAGE}) as site,
        chromium(tmp_path, house.home, sites=(), display=session.environ) as browser,
    ):
        paired = browser.options()
        paired.pair_in_options()
        browser.context.pages[-1].close()
        browser.page.goto(f"{site}/")
        browser.page.dblclick("#h", position={"x": 40, "y": 20})

        def windows() -> int:
            return session.run("xwininfo", "-root", "-tree").count("+")

        def choose() -> None:
            before = windows()
            browser.page.click("#h", button="right", position={"x": 40, "y": 20})
            wait_until(lambda: windows() > before)
            for key in ("Up", "Up", "Return"):  # the item stands second from the end of Debian's Chromium menu
                session.key(key)

        panel = browser.panel_after(choose)
        panel.connected()
        assert "Lindholm" in panel.see(".chip")
        assert "Remembered: The crane" in panel.remember()
        asked = panel.ask("What is this?")
        assert "About the selection on The crane" in panel.texts(".said .about")[-1]
        assert any("127.0.0.1" in source for source in asked.sources)
