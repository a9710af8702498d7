"""Options: what they are, and a change of them in config.toml."""

import asyncio
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from hearth_backend.api.endpoint import Endpoint, get, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared import config_file
from hearth_shared.errors import InvalidBody, SettingsError
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.status import SettingChange, SettingsView
from hearth_shared.settings import Settings as Options


class Settings:
    """`/v1/settings`. A change takes effect at the next start; `needs_restart` names what waits for it."""

    def __init__(self, services: Services) -> None:
        self._running = services.settings
        self._path = services.home.config
        self._stored = services.settings
        self._changing = asyncio.Lock()

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        routes = (
            get("/v1/settings", self.show, "Every option: type, default, help, value.", answer=SettingsView),
            post(
                "/v1/settings",
                SettingChange,
                self.change,
                "Set options by their dotted names, all or none.",
                method="PUT",
                answer=SettingsView,
            ),
        )
        return tuple(route.needing(Scope.SETTINGS) for route in routes)

    async def show(self, call: Call) -> SettingsView:
        """As they are stored."""
        return self._view()

    async def change(self, call: Call, body: SettingChange) -> SettingsView:
        """Written to config.toml, which keeps everything else that the person wrote."""
        async with self._changing:
            try:
                self._stored = await asyncio.to_thread(config_file.change, self._path, body.values)
            except SettingsError as error:
                raise InvalidBody(error.detail, error.fix, field="values") from error
        return self._view()

    def _view(self) -> SettingsView:
        stored, running = _flat(self._stored.model_dump()), _flat(self._running.model_dump())
        waiting = sorted(name for name in stored.keys() | running.keys() if stored.get(name) != running.get(name))
        return SettingsView(
            json_schema=Options.model_json_schema(), values=_without_logins(stored), needs_restart=waiting
        )


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found.update(_flat(cast("dict[str, Any]", value), f"{before}{name}."))
        else:
            found[before + name] = value
    return found


def _without_logins(values: dict[str, Any]) -> dict[str, Any]:
    """A URL may hold a user's name and password: they are not shown."""
    return {name: _shown(value) if name.endswith("url") else value for name, value in values.items()}


def _shown(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
