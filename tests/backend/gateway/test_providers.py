import pytest

from hearth_backend.gateway.providers import configured
from hearth_shared.errors import SettingsError
from hearth_shared.settings import Provider as ProviderSettings
from support.gateways import KeyRing

pytestmark = pytest.mark.unit

HERE = ProviderSettings(url="http://127.0.0.1:9/v1", where="this machine")


async def test_a_key_alone_connects_a_well_known_cloud() -> None:
    (openai,) = configured({}, KeyRing(openai="k"))
    assert [(info.provider, info.where) for info in await openai.models()] == [("openai", "cloud")]
    (openai,) = configured({}, KeyRing())
    assert await openai.models() == ()


def test_the_settings_go_before_what_is_well_known() -> None:
    (openai,) = configured({"openai": HERE}, KeyRing())
    assert openai.where == "this machine"


@pytest.mark.parametrize("name", ["engine", "minilm", "a/b", ""])
def test_a_name_that_cannot_be_used_is_said(name: str) -> None:
    with pytest.raises(SettingsError):
        configured({name: HERE}, KeyRing())
