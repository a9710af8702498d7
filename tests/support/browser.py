"""Debian's Chromium with Hearth's extension in it: the real side panel beside a real page, driven over CDP.

    with chromium(folder, backend) as browser:
        panel = browser.panel()
        asked = panel.ask("What is the staging server called?")
        asked.transcript, asked.screenshot

The browser runs headless with a profile of its own, its native host leads to this backend, and it is paired in one
click. What a person would allow by clicking the icon is granted for pages of this machine by the test's manifest.
"""

import base64
import contextlib
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from playwright.sync_api import BrowserContext, Page, sync_playwright
from websockets.sync.client import ClientConnection, connect

from hearth_bridge.package import unpack
from hearth_shared.extension import CHROMIUM_ID, CHROMIUM_ORIGIN, NATIVE_HOST
from hearth_shared.paths import Home
from support.tools import need

LIMIT_S = 60.0
PAGES_OF_THIS_MACHINE = "http://127.0.0.1/*"
_KEYS: dict[str, tuple[str, int]] = {"Enter": ("Enter", 13), "Escape": ("Escape", 27), ".": ("Period", 190)}
_MODIFIERS = {"Alt": 1, "Control": 2, "Shift": 8}
_NOTICE = "document.querySelector('#notice')"
# Resolves once an expression is true; looks again whenever the page changes.
_UNTIL = """new Promise((done) => {
  const look = () => { const found = (%s); if (found) { seen.disconnect(); done(found); } };
  const seen = new MutationObserver(look);
  seen.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  look();
})"""


@dataclass(frozen=True)
class Asked:
    """A question and what came of it, as the panel shows it."""

    question: str
    answer: str
    made: str
    sources: Sequence[str]
    screenshot: bytes

    @property
    def transcript(self) -> str:
        """All of it as text."""
        listed = "\n".join(self.sources)
        return f"> {self.question}\n\n{self.answer}\n\n{self.made}\n{listed}".strip()


class Panel:
    """One page of the extension, through the browser's debugging door."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self._happened: list[str] = []
        self._call("Runtime.enable")
        self._call("Page.enable")

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        said = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise AssertionError(json.dumps(said["exceptionDetails"])[:2000])
        return said["result"].get("value")

    def until(self, expression: str) -> Any:
        """The value of an expression, once it is true."""
        try:
            return self.run(_UNTIL % expression)
        except TimeoutError:
            seen = self.run("document.body.innerText")
            raise AssertionError(f"never came: {expression}\n{seen}") from None

    def see(self, selector: str) -> str:
        """The text of the first element that can be seen, once there is one."""
        chosen = f"[...document.querySelectorAll({json.dumps(selector)})].find((one) => one.checkVisibility())"
        return str(self.until(f"(({chosen})?.innerText ?? '') || (({chosen}) && ' ')"))

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements."""
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.innerText)")

    def click(self, selector: str) -> None:
        """Press an element where it is, as a person does."""
        self.see(selector)
        chosen = f"[...document.querySelectorAll({json.dumps(selector)})].find((one) => one.checkVisibility())"
        box = self.run(
            f"(() => {{ const one = {chosen}; one.scrollIntoView({{block: 'nearest'}}); "
            "const at = one.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.see(selector)
        self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); one.focus(); one.select(); }})()"
        )
        self._call("Input.insertText", text=text)

    def press(self, keys: str) -> None:
        """A key with its modifiers: `Control+Enter`."""
        *held, key = keys.split("+")
        code, number = _KEYS.get(key) or (f"Key{key.upper()}", ord(key.upper()))
        shared = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        shared["modifiers"] = sum(_MODIFIERS[name] for name in held)
        typed = {"text": "\r"} if keys == "Enter" else {}
        self._call("Input.dispatchKeyEvent", type="keyDown" if typed else "rawKeyDown", **shared, **typed)
        self._call("Input.dispatchKeyEvent", type="keyUp", **shared)

    def screenshot(self) -> bytes:
        """A PNG."""
        self.run("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))).then(() => 1)")
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def look(self, scheme: Literal["light", "dark"], *, contrast: bool = False) -> None:
        """As a person who set the system to this sees it."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-contrast", "value": "more" if contrast else "no-preference"},
        ]
        self._call("Emulation.setEmulatedMedia", features=features)

    def size(self, width: int, height: int) -> None:
        """How much room it has."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        taken = f"innerWidth === {width} && innerHeight === {height}"
        look = f"const look = () => ({taken}) ? done(true) : requestAnimationFrame(look);"
        self.run(f"new Promise((done) => {{ {look} look(); }})")

    def reload(self) -> None:
        """As if it was closed and opened again."""
        self._happened.clear()
        self._call("Page.reload")
        while "Page.frameNavigated" not in self._happened:  # until then, what is asked is answered by the page before
            self._hear()
        self.until("document.readyState === 'complete' && document.querySelector('#state, #version')")

    def pair(self) -> None:
        """In one click, through the native host."""
        self.click("#pair-native")
        self.see("#question")
        self.connected()

    def pair_in_options(self) -> None:
        """The same on the options page."""
        self.click("#pair-native")
        self.until("document.querySelector('#connection').innerText.startsWith('Connected')")

    def connected(self) -> None:
        """Wait until Hearth is there."""
        self.until(
            "['idle', 'no model', 'thinking', 'needs you'].includes(document.querySelector('#state').dataset.state)"
        )

    def send(self, question: str) -> None:
        """Ask by the keyboard, and go on without waiting for the answer."""
        before = len(self.texts("article.answer"))
        self.write("#question", question)
        self.press("Control+Enter")
        self.until(f"document.querySelectorAll('article.answer').length > {before}")

    def answered(self) -> str:
        """The last answer's text, once it is whole."""
        last = "[...document.querySelectorAll('article.answer')].at(-1)"
        self.until(f"{last}?.getAttribute('aria-busy') === 'false'")
        return str(self.run(f"{last}.querySelector('.text').innerText"))

    def ask(self, question: str) -> Asked:
        """Ask, wait, and show the sources."""
        self.send(question)
        answer = self.answered()
        last = "[...document.querySelectorAll('article.answer')].at(-1)"
        made = str(self.run(f"{last}.querySelector('.made')?.innerText ?? ''"))
        shot = self.screenshot()
        if self.run(f"Boolean({last}.querySelector('.foot [aria-expanded=\"false\"]'))"):
            self.press("Control+.")
        sources = self.run(f"[...{last}.querySelectorAll('.sources li')].map((one) => one.innerText)")
        return Asked(question, answer, made, sources, shot)

    def remember(self) -> str:
        """Keep the page in front; what the panel says of it."""
        self.click("#remember")
        return str(
            self.until("/Remembered|Nothing new|Forgotten/.test(at.innerText) && at.innerText".replace("at", _NOTICE))
        )

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._connection.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said = self._hear()
            if said.get("id") == self._number:
                assert "error" not in said, said
                return cast("dict[str, Any]", said["result"])

    def _hear(self) -> dict[str, Any]:
        said = json.loads(self._connection.recv(timeout=LIMIT_S))
        if "method" in said:
            self._happened.append(said["method"])
        return cast("dict[str, Any]", said)

    def stored(self) -> Any:
        """What the extension keeps in this browser for as long as it is paired."""
        return self.run("chrome.storage.local.get()")


@dataclass
class Chromium:
    """A browser that runs."""

    context: BrowserContext
    debugging_port: int
    _held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.context.pages[0]

    def side_panel(self) -> Panel:
        """The real side panel, opened by a click beside the page in front."""
        opener = self.context.new_page()
        opener.goto(f"{CHROMIUM_ORIGIN}/options.html")
        opener.evaluate(
            """() => {
              const button = document.createElement('button');
              button.id = 'opener';
              button.onclick = async () => chrome.sidePanel.open({windowId: (await chrome.windows.getCurrent()).id});
              document.body.prepend(button);
            }"""
        )
        with self._new_target(opener, "panel.html") as target:
            opener.click("#opener")
            found = target()
        opener.close()
        self.page.bring_to_front()
        return self._panel(found)

    def panel_after(self, act: Callable[[], None]) -> Panel:
        """The side panel that opens because of what is done."""
        with self._new_target(self.page, "panel.html") as target:
            act()
            return self._panel(target())

    def options(self, tab: str = "options.html") -> Panel:
        """A page of the extension in a tab of its own."""
        page = self.context.new_page()
        page.goto(f"{CHROMIUM_ORIGIN}/{tab}")
        session = self._session(page)
        target = session.send("Target.getTargetInfo")["targetInfo"]["targetId"]
        session.detach()
        return self._panel(target)

    def stop_worker(self) -> None:
        """What the browser does with a worker that is idle, at once."""
        session = self._session(self.page)
        targets = session.send("Target.getTargets")["targetInfos"]
        for target in targets:
            if target["type"] == "service_worker" and CHROMIUM_ID in target["url"]:
                session.send("Target.closeTarget", {"targetId": target["targetId"]})
        session.detach()

    def let_go(self) -> None:
        """Of all panels that were opened; the pages stay."""
        self._held.close()

    def _session(self, page: Page) -> Any:
        return self.context.new_cdp_session(page)  # its types are half unknown

    def _panel(self, target: str) -> Panel:
        url = f"ws://127.0.0.1:{self.debugging_port}/devtools/page/{target}"
        return Panel(self._held.enter_context(connect(url, max_size=None, compression=None)))

    @contextlib.contextmanager
    def _new_target(self, page: Page, name: str) -> Generator[Any]:
        """Gives a function that waits for a new page of the extension and names it."""
        session = self._session(page)
        session.send("Target.setDiscoverTargets", {"discover": True})
        found: list[str] = []

        def seen(event: Any) -> None:
            info = event["targetInfo"]
            if info["url"] == f"{CHROMIUM_ORIGIN}/{name}" and info["targetId"] not in found:
                found.append(info["targetId"])

        session.on("Target.targetCreated", seen)
        session.on("Target.targetInfoChanged", seen)

        def first() -> str:
            end = time.monotonic() + LIMIT_S
            while not found:
                assert time.monotonic() < end, f"{name} was never opened"
                page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
            return found[0]

        yield first
        session.detach()


@contextlib.contextmanager
def chromium(
    folder: Path,
    home: Home,
    *,
    sites: Sequence[str] = (PAGES_OF_THIS_MACHINE,),
    display: Mapping[str, str] | None = None,
) -> Generator[Chromium]:
    """A Chromium whose extension finds this home. `sites`: pages that may be read without a click. Headless, unless
    `display` is the environment of one to be shown on."""
    program = need("chromium")
    extension = _extension(folder / "extension", sites)
    profile = folder / "profile"
    write_native_host(profile / "NativeMessagingHosts", home, {"allowed_origins": [f"{CHROMIUM_ORIGIN}/"]})
    port = _free_port()
    arguments = [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
    arguments += [f"--remote-debugging-port={port}", "--window-size=1100,800"]
    arguments += ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=program, headless=display is None, args=arguments, no_viewport=True,
            env=None if display is None else {**os.environ, **display},
        )  # fmt: skip
        context.set_default_timeout(LIMIT_S * 1000)
        browser = Chromium(context, port)
        try:
            yield browser
        finally:
            browser.let_go()
            context.close()


def write_native_host(folder: Path, home: Home, allowed: dict[str, list[str]]) -> None:
    """The native host's manifest, and a launcher that leads to this home."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / "hearth-native-host"
    program = f"{shlex.quote(sys.executable)} -I -m hearth_bridge.native_host"
    launcher.write_text(f'#!/bin/sh\nHEARTH_HOME={shlex.quote(str(home.root))} exec {program} "$@"\n')
    launcher.chmod(0o755)
    manifest = {"name": NATIVE_HOST, "description": "Hearth", "path": str(launcher), "type": "stdio", **allowed}
    (folder / f"{NATIVE_HOST}.json").write_text(json.dumps(manifest))


def _extension(folder: Path, sites: Sequence[str]) -> Path:
    path = unpack("chromium", folder) / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(manifest | ({"host_permissions": list(sites)} if sites else {})), "utf-8")
    return folder


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
