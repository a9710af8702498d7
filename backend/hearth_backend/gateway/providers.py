"""The servers a person has set up, and those that need nothing but a key."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from hearth_backend.gateway.anthropic_dialect import AnthropicDialect
from hearth_backend.gateway.google_dialect import GoogleDialect
from hearth_backend.gateway.messages import Provider
from hearth_backend.gateway.openai_compatible import OpenAICompatible
from hearth_backend.gateway.policy import BUILT_IN
from hearth_backend.gateway.remote import Remote
from hearth_backend.gateway.server import Keys
from hearth_shared.errors import SettingsError
from hearth_shared.settings import Provider as ProviderSettings

PRESETS: Mapping[str, ProviderSettings] = MappingProxyType(
    {
        "openai": ProviderSettings(url="https://api.openai.com/v1", where="cloud", model="gpt-5-mini"),
        "anthropic": ProviderSettings(
            url="https://api.anthropic.com/v1", where="cloud", kind="anthropic", model="claude-haiku-4-5"
        ),
        "google": ProviderSettings(
            url="https://generativelanguage.googleapis.com/v1beta",
            where="cloud",
            kind="google",
            model="gemini-flash-latest",
        ),
    }
)


def configured(providers: Mapping[str, ProviderSettings], keys: Keys) -> list[Remote]:
    """One provider for each in the settings, and the presets; a preset without a key lists no models.

    Raises SettingsError for a name or address that cannot be used.
    """
    for name in providers:
        if name in BUILT_IN or "/" in name or not name:
            raise SettingsError(f"`providers.{name}` cannot have this name.", "Choose another one, without a slash.")
    for name, one in providers.items():
        if one.pool in {*BUILT_IN, *PRESETS, *providers} or "/" in one.pool:
            raise SettingsError(
                f"`providers.{name}.pool` cannot be {one.pool!r}: a provider has that name.", "Change it."
            )
    return [provider(name, settings, keys) for name, settings in {**PRESETS, **providers}.items()]


def provider(name: str, settings: ProviderSettings, keys: Keys) -> Remote:
    """One server, spoken to in the dialect of its kind."""
    match settings.kind:
        case "openai":
            return OpenAICompatible(name, settings, keys)
        case "anthropic":
            return Remote(name, settings, keys, AnthropicDialect())
        case "google":
            return Remote(name, settings, keys, GoogleDialect())


def pools_of(providers: Sequence[Provider]) -> dict[str, str]:
    """The pool of each provider that is in one, by its name."""
    return {one.name: one.settings.pool for one in providers if isinstance(one, Remote) and one.settings.pool}
