"""The keyring is tried, not believed."""

import pytest
from pydantic import SecretStr

from hearth_backend.observe.checks.keyring import PROBE, keyring
from hearth_shared.secrets import Secrets

pytestmark = pytest.mark.unit


class MemoryKeyring:
    """A keyring that remembers; `forgetful` ones lose what they are given, `sticky` ones do not let go."""

    def __init__(self, *, forgetful: bool = False, sticky: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self._forgetful = forgetful
        self._sticky = sticky

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self._forgetful:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if not self._sticky:
            del self.kept[service, username]


async def test_a_keyring_that_keeps_and_lets_go_is_ok() -> None:
    backend = MemoryKeyring()
    check = await keyring(Secrets(backend))
    assert check.state == "ok"
    assert backend.kept == {}


async def test_no_keyring_is_a_warning_with_the_way_around() -> None:
    check = await keyring(Secrets(None))
    assert check.state == "warn"
    assert "HEARTH_KEY_" in check.fix


@pytest.mark.parametrize("backend", [MemoryKeyring(forgetful=True), MemoryKeyring(sticky=True)])
async def test_a_keyring_that_loses_or_holds_on_is_a_fault(backend: MemoryKeyring) -> None:
    check = await keyring(Secrets(backend))
    assert check.state == "fault"
    assert check.fix


async def test_the_persons_own_keys_are_left_alone() -> None:
    backend = MemoryKeyring()
    secrets = Secrets(backend)
    secrets.set("openai", SecretStr("sk-1"))
    await keyring(secrets)
    assert [name for _, name in backend.kept] == ["openai"]
    assert PROBE not in str(backend.kept)
