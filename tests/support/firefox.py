"""Debian's Firefox ESR with Hearth's extension in it, driven by Marionette.

    with firefox(folder, home) as browser:
        browser.open_panel()
        browser.see("#question")

Its profile and its home folder are of its own, so that its native host leads to this backend and to no other.
"""

import contextlib
import importlib
import json
import os
import socket
import subprocess
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

from hearth_bridge.package import unpack
from hearth_shared.extension import GECKO_ID
from hearth_shared.paths import Home
from support.browser import write_native_host
from support.tools import need

LIMIT_S = 60.0
UUID = "11111111-2222-4333-8444-555555555555"
ORIGIN = f"moz-extension://{UUID}"
# Calls back once an expression is true; looks again whenever the page changes.
_UNTIL = """
  const done = arguments[arguments.length - 1];
  const look = () => { const found = (%s); if (found) { seen.disconnect(); done(found); } };
  const seen = new MutationObserver(look);
  seen.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  look();
"""


class Firefox:
    """A browser that runs; `driver` is Marionette's client, whose types are unknown."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def go(self, url: str) -> None:
        """Another page in the tab in front."""
        self._driver.navigate(url)

    def open_panel(self) -> None:
        """The page of the sidebar, in the tab in front."""
        self.go(f"{ORIGIN}/panel.html")

    def run(self, body: str, *arguments: Any) -> Any:
        """What a function with this body returns in the page in front."""
        return self._driver.execute_script(body, script_args=arguments, sandbox=None)

    def privileged(self, body: str) -> Any:
        """The same in the browser's own window; the body calls the last of its arguments when it is done."""
        with self._driver.using_context("chrome"):
            return self._driver.execute_async_script(body)

    def until(self, expression: str) -> Any:
        """The value of an expression, once it is true."""
        try:
            return self._driver.execute_async_script(_UNTIL % expression, sandbox=None)
        except Exception as error:  # the library's own classes cannot be named without importing it
            raise AssertionError(f"never came: {expression}\n{self.run('return document.body.innerText')}") from error

    def see(self, selector: str) -> str:
        """The text of an element, once it can be seen."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].find((one) => one.checkVisibility())"
        return str(self.until(f"(({found})?.innerText || (({found}) && ' '))"))

    def click(self, selector: str) -> None:
        """Press an element, as a person does."""
        self.see(selector)
        self._driver.find_element("css selector", selector).click()

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.see(selector)
        self._driver.find_element("css selector", selector).send_keys(text)

    def answered(self) -> str:
        """The last answer's text, once it is whole."""
        last = "[...document.querySelectorAll('article.answer')].at(-1)"
        self.until(f"{last}?.getAttribute('aria-busy') === 'false'")
        return str(self.run(f"return {last}.querySelector('.text').innerText"))

    def screenshot(self) -> bytes:
        """A PNG of the page in front."""
        return self._driver.screenshot(format="binary", full=False)


@contextlib.contextmanager
def firefox(folder: Path, home: Home, *, change: dict[str, Any] | None = None) -> Generator[Firefox]:
    """A headless Firefox with the extension installed. `change` replaces parts of its manifest; None takes one away."""
    program = need("firefox-esr")
    profile, own = folder / "profile", folder / "user"
    profile.mkdir(parents=True)
    # HOME decides where Firefox looks for native hosts.
    write_native_host(own / ".mozilla" / "native-messaging-hosts", home, {"allowed_extensions": [GECKO_ID]})
    port = _free_port()
    (profile / "user.js").write_text(_preferences(port))
    arguments = [program, "--marionette", "--headless", "--remote-allow-system-access", "--no-remote"]
    process = subprocess.Popen(
        [*arguments, "--profile", str(profile)],
        env={**os.environ, "HOME": str(own)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _when_listening(port, process)
        driver = _driver(port)
        _library("addons").Addons(driver).install(str(_extension(folder / "extension", change or {})), temp=True)
        yield Firefox(driver)
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def _driver(port: int) -> Any:
    driver = _library("marionette").Marionette(host="127.0.0.1", port=port, startup_timeout=LIMIT_S)
    driver.start_session()
    driver.timeout.script = LIMIT_S
    driver.timeout.page_load = LIMIT_S
    return driver


def _library(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it stands on is written in an older Python
        return importlib.import_module(f"marionette_driver.{name}")


def _preferences(port: int) -> str:
    values = {
        "extensions.webextensions.uuids": json.dumps({GECKO_ID: UUID}),  # else it is random in each profile
        "marionette.port": port,
        "datareporting.policy.dataSubmissionEnabled": False,
        "browser.shell.checkDefaultBrowser": False,
        "app.update.enabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
    }
    return "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in values.items())


def _when_listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise AssertionError("Firefox ended before it listened")


def _extension(folder: Path, change: dict[str, Any]) -> Path:
    path = unpack("firefox", folder) / "manifest.json"
    manifest = json.loads(path.read_text("utf-8")) | change
    path.write_text(json.dumps({name: value for name, value in manifest.items() if value is not None}), "utf-8")
    return folder


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
