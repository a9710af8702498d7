import pytest

from hearth_backend.gateway.providers import configured, pools_of
from hearth_shared.errors import SettingsError
from hearth_shared.settings import Provider as ProviderSettings
from support.gateways import KeyRing

pytestmark = pytest.mark.unit

HERE = ProviderSettings(url="http://127.0.0.1:9/v1", where="this machine")


@pytest.mark.parametrize("name", ["openai", "anthropic", "google"])
async def test_a_key_alone_connects_a_well_known_cloud(name: str) -> None:
    with_key = {one.name: await one.models() for one in configured({}, KeyRing(**{name: "k"}))}
    assert {(info.provider, info.where) for listed in with_key.values() for info in listed} == {(name, "cloud")}
    assert [await one.models() for one in configured({}, KeyRing())] == [(), (), ()]


def test_the_settings_go_before_what_is_well_known() -> None:
    by_name = {one.name: one for one in configured({"openai": HERE}, KeyRing())}
    assert by_name["openai"].where == "this machine"


@pytest.mark.parametrize("name", ["engine", "minilm", "a/b", ""])
def test_a_name_that_cannot_be_used_is_said(name: str) -> None:
    with pytest.raises(SettingsError):
        configured({name: HERE}, KeyRing())


@pytest.mark.parametrize("pool", ["openai", "desk", "engine", "a/b"])
def test_a_pool_is_not_called_like_a_provider(pool: str) -> None:
    desk = ProviderSettings(url="http://127.0.0.1:1/v1", where="this machine", pool=pool)
    with pytest.raises(SettingsError, match="pool"):
        configured({"desk": desk}, KeyRing())


def test_those_in_a_pool_are_told() -> None:
    desk = ProviderSettings(url="http://127.0.0.1:1/v1", where="this machine", pool="desks")
    assert pools_of(configured({"desk": desk}, KeyRing())) == {"desk": "desks"}
