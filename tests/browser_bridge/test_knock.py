import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_bridge.knock import Turned, Visitor, look
from hearth_shared.extension import CHROMIUM_ORIGIN

pytestmark = pytest.mark.unit

HOST = "127.0.0.1:4748"
FIREFOX = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"
TOKEN = "hth_abc_secret-1"
OFFER = f"hearth.v1, hearth.token.{TOKEN}"


@pytest.mark.parametrize("origin", [CHROMIUM_ORIGIN, FIREFOX])
@pytest.mark.parametrize("host", [HOST, "localhost:4748"])
def test_our_extension_with_a_token_comes_in(origin: str, host: str) -> None:
    assert look("/v1", 4748, [host], [origin], [OFFER]) == Visitor(origin, TOKEN)


def test_an_offer_in_two_headers_is_one_offer() -> None:
    assert look("/v1", 4748, [HOST], [FIREFOX], ["hearth.v1", f"hearth.token.{TOKEN}"]) == Visitor(FIREFOX, TOKEN)


def test_who_wants_to_pair_comes_in_without_a_token() -> None:
    assert look("/v1", 4748, [HOST], [FIREFOX], ["hearth.v1, hearth.pair"]) == Visitor(FIREFOX, "")


@pytest.mark.parametrize("path", ["/", "/v1/", "/v1?token=x", "/bridge", "//v1"])
def test_there_is_one_address(path: str) -> None:
    assert status(look(path, 4748, [HOST], [FIREFOX], [OFFER])) == 404


@pytest.mark.parametrize(
    "hosts",
    [[], ["127.0.0.1"], ["127.0.0.1:1"], ["evil.example:4748"], ["127.0.0.1:4748.evil.example"], [HOST, HOST], [""]],
)
def test_a_name_that_leads_here_from_elsewhere_is_turned_away(hosts: list[str]) -> None:
    assert status(look("/v1", 4748, hosts, [FIREFOX], [OFFER])) == 403


@pytest.mark.parametrize(
    "origins",
    [
        [],
        ["null"],
        ["https://example.org"],
        ["chrome-extension://" + "a" * 32],
        [CHROMIUM_ORIGIN, CHROMIUM_ORIGIN],
        [CHROMIUM_ORIGIN, "https://example.org"],
        [f"{CHROMIUM_ORIGIN}, https://example.org"],
    ],
)
def test_another_origin_is_turned_away(origins: list[str]) -> None:
    assert status(look("/v1", 4748, [HOST], origins, [OFFER])) == 403


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        ([], 400),
        ([f"hearth.token.{TOKEN}"], 400),
        (["hearth.v2"], 400),
        (["hearth.v1, hearth.v1"], 400),
        (["hearth.v1"], 401),
        (["hearth.v1, hearth.token."], 401),
        (["hearth.v1, hearth.token.secret"], 401),
        (["hearth.v1, hearth.token.hth_\r\nX: y"], 401),
        ([f"{OFFER}, hearth.token.hth_two"], 401),
        ([f"{OFFER}, hearth.pair"], 401),
        (["hearth.v1, hearth.token.hth_" + "x" * 300], 401),
    ],
)
def test_without_one_good_offer_nobody_comes_in(offers: list[str], expected: int) -> None:
    assert status(look("/v1", 4748, [HOST], [FIREFOX], offers)) == expected


@given(st.text(), st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_nobody_comes_in_by_chance(path: str, hosts: list[str], origins: list[str], offers: list[str]) -> None:
    assert isinstance(look(path, 4748, hosts, origins, offers), Turned)


def test_a_token_is_never_shown() -> None:
    assert TOKEN not in repr(Visitor(FIREFOX, TOKEN))
    assert all(TOKEN not in turned.why for turned in [look("/", 1, [], [], [OFFER])] if isinstance(turned, Turned))


def status(found: Visitor | Turned) -> int:
    return found.status if isinstance(found, Turned) else 101
