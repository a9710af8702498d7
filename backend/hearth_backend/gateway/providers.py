"""The servers a person has set up, and those that need nothing but a key."""

from collections.abc import Mapping
from types import MappingProxyType

from hearth_backend.gateway.openai_compatible import Keys, OpenAICompatible
from hearth_backend.gateway.policy import BUILT_IN
from hearth_shared.errors import SettingsError
from hearth_shared.settings import Provider as ProviderSettings

PRESETS: Mapping[str, ProviderSettings] = MappingProxyType(
    {"openai": ProviderSettings(url="https://api.openai.com/v1", where="cloud", model="gpt-5-mini")}
)


def configured(providers: Mapping[str, ProviderSettings], keys: Keys) -> list[OpenAICompatible]:
    """One provider for each in the settings, and the presets; a preset without a key lists no models.

    Raises SettingsError for a name or address that cannot be used.
    """
    for name in providers:
        if name in BUILT_IN or "/" in name or not name:
            raise SettingsError(f"`providers.{name}` cannot have this name.", "Choose another one, without a slash.")
    return [OpenAICompatible(name, settings, keys) for name, settings in {**PRESETS, **providers}.items()]
