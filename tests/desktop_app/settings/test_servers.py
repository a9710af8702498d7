import pytest

from hearth_desktop.settings.servers import why_not

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("url", ["http://192.168.1.20:8000/v1", "https://models.example/v1", "http://[::1]:8000/v1"])
def test_a_server_with_a_name_and_an_address_is_taken(url: str) -> None:
    assert not why_not("workshop", url)


@pytest.mark.parametrize("name", ["", "Work shop", "-x", "a.b", "x" * 65, "ä"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    assert "name" in why_not(name, "http://x/v1")


@pytest.mark.parametrize("url", ["", "x", "ftp://x/v1", "http://", "http://[::1", "javascript:alert(1)"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert "address" in why_not("workshop", url)


def test_a_key_does_not_belong_into_an_address() -> None:
    assert "Keys" in why_not("workshop", "https://me:secret@models.example/v1")
