import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_shared.sites import is_page, named, site_of, with_wider

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://example.org/a?b#c", "example.org"),
        ("HTTPS://Example.ORG./", "example.org"),
        ("http://user:pass@example.org:8080/", "example.org"),
        ("http://[::1]:80/", "::1"),
        ("http://127.0.0.1:9/", "127.0.0.1"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("file:///etc/passwd", ""),
        ("javascript:alert(1)", ""),
        ("person", ""),
        ("notes/http.md", ""),
        ("https://", ""),
        ("https:///path", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_the_site_of_an_address(address: str, site: str) -> None:
    assert site_of(address) == site
    assert is_page(address) == (site != "")


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    assert site_of(text) == site_of(text).strip("[]")


@pytest.mark.parametrize(("said", "site"), [("Example.org.", "example.org"), ("[::1]", "::1"), (" a.b ", "a.b")])
def test_one_form_is_compared(said: str, site: str) -> None:
    assert named(said) == site


def test_a_part_of_a_site_follows_it() -> None:
    assert with_wider("mail.example.org") == ["mail.example.org", "example.org", "org"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_an_address_is_part_of_nothing(address: str) -> None:
    assert with_wider(address) == [address]
