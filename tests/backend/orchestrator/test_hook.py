import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.orchestrator.hook import granted, signature, target, verify
from hearth_shared.errors import BadRequest

pytestmark = pytest.mark.unit


def test_an_address_has_its_parts() -> None:
    where = target("https://hooks.example.org./done?task=1#x")
    assert (where.scheme, where.host, where.port, where.path) == ("https", "hooks.example.org", 443, "/done?task=1")
    assert granted(where, ["hooks.example.org"])
    assert granted(where, ["hooks.example.org:443"])
    assert not granted(where, ["example.org", "hooks.example.org:80"])


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.org/", "file:///etc/passwd", "https://", "https://me:secret@a.org/", "http://a.org:x/",
     "http://a.org/ b", "http://a.org\\@b.org/", "http://[::1/", "http://a.org/\r\nX: y"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest):
        target(url)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(url: str) -> None:
    try:
        found = target(url)
    except BadRequest:
        return
    assert found.host
    assert 0 < found.port < 65536


@given(st.binary(max_size=50), st.integers(0, 2**40), st.integers(-1000, 1000))
def test_a_signature_holds_for_its_body_its_key_and_its_time(body: bytes, at: int, later: int) -> None:
    signed = signature("key", at, body)
    assert verify("key", signed, body, at + later) == (abs(later) <= 300)
    assert not verify("other", signed, body, at)
    assert not verify("key", signed, body + b"x", at)


@pytest.mark.parametrize("header", ["", "t=,v1=", "v1=ab", "t=1", "t=x,v1=y", "t=1,v1=00"])
def test_what_is_no_signature_does_not_hold(header: str) -> None:
    assert not verify("key", header, b"", 1)
