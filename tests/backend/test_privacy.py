import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.privacy import Restorer, Vault, masked
from support.planted import PLANTED

pytestmark = pytest.mark.unit

# Written in two parts, so that no scanner takes them for real ones.
SECRETS = {
    "EMAIL": "marie.dupont@example.org",
    "CARD": "4111 1111 1111 1111",
    "IBAN": "FR7630006000011234567890189",
    "IP": "10.0.0.7",
    "PHONE": "+33 6 12 34 56 78",
    "KEY": "sk-" + "proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD",
    "JWT": "eyJhbGciOiJIUzI1" + ".eyJzdWIiOiIxMjM0" + ".SflKxwRJSMeKKF2QT4",
    "PRIVATE_KEY": "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
}


@pytest.mark.parametrize(("kind", "value"), SECRETS.items())
def test_what_has_a_shape_is_masked_and_restored(kind: str, value: str) -> None:
    text = f"It is {value} as of today."
    vault = Vault([text])
    assert vault.mask(text) == f"It is <{kind}_1> as of today."
    assert vault.restore(vault.mask(text)) == text


def test_of_a_named_secret_only_the_value_goes() -> None:
    assert masked('export API_KEY="abc12345xyz"') == 'export API_KEY="<SECRET_1>"'


@pytest.mark.parametrize(
    "text",
    ["4111 1111 1111 1112", "FR7630006000011234567890180", "127.0.0.1", "999.1.1.1", "token = request.headers"],
    ids=["not a card", "not an IBAN", "this machine", "not an address", "code"],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert masked(text) == text


def test_equal_values_get_equal_marks() -> None:
    assert masked("a@example.org b@example.org a@example.org") == "<EMAIL_1> <EMAIL_2> <EMAIL_1>"


def test_a_mark_that_somebody_wrote_is_not_given_out() -> None:
    text = "What does <EMAIL_1> mean? I am a@example.org."
    vault = Vault([text])
    assert vault.mask(text) == "What does <EMAIL_1> mean? I am <EMAIL_2>."
    assert vault.restore(vault.mask(text)) == text


def test_a_value_restored_inside_json_is_escaped() -> None:
    vault = Vault()
    mark = vault.mask(SECRETS["PRIVATE_KEY"])
    restored = vault.restore(json.dumps({"text": mark}), in_json=True)
    assert json.loads(restored) == {"text": SECRETS["PRIVATE_KEY"]}


def test_a_vault_shows_nothing_of_what_it_holds() -> None:
    vault = Vault()
    vault.mask("a@example.org")
    assert repr(vault) == "Vault(1 values)"


def test_a_value_in_json_is_masked_as_what_it_says() -> None:
    said = json.dumps({"note": SECRETS["PRIVATE_KEY"], "password": "hunter-two", "card": 4111111111111111, "n": 7})
    vault = Vault()
    hidden = vault.mask_json(said)
    assert json.loads(hidden) == {"note": "<PRIVATE_KEY_1>", "password": "<SECRET_2>", "card": "<CARD_3>", "n": 7}
    assert json.loads(vault.restore(hidden, in_json=True)) == json.loads(said) | {"card": "4111111111111111"}


@pytest.mark.parametrize("text", ['{"a": 1.0, "b" : [true, null]}', "{not json", ""])
def test_json_without_secrets_stays_as_it_was_written(text: str) -> None:
    assert Vault().mask_json(text) == text


def test_marks_that_a_server_escaped_are_restored_in_json() -> None:
    vault = Vault()
    vault.mask("a@example.org")
    restorer = Restorer(vault, in_json=True)
    said = r'{"to": "\u003cEMAIL_1\u003e", "path": "C:\\u003cEMAIL_1>"}'
    pieces = [*map(restorer.feed, said), restorer.rest()]
    assert json.loads("".join(pieces)) == {"to": "a@example.org", "path": r"C:\u003cEMAIL_1>"}


@given(st.lists(st.integers(min_value=0, max_value=60), max_size=12))
def test_a_stream_cut_anywhere_is_restored_like_the_whole(cuts: list[int]) -> None:
    vault = Vault()
    text = vault.mask("Ask a@example.org, or b@example.org < c < D_1 <EMAIL now.")
    restorer = Restorer(vault)
    assert "".join([*map(restorer.feed, _cut(text, cuts)), restorer.rest()]) == vault.restore(text)


@given(st.text())
def test_masking_and_restoring_changes_no_text(text: str) -> None:
    vault = Vault([text])
    assert vault.restore(vault.mask(text)) == text


_SAID = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from([planted.text for planted in PLANTED]),
        st.sampled_from(["<", "<<", "<EMAIL_1>", "<EMAIL", "\\", "\\u003c", '"', "\n", " "]),
    ),
    max_size=8,
).map(" ".join)
_CUTS = st.lists(st.integers(min_value=0, max_value=400), max_size=24)


@given(_SAID, _CUTS)
def test_a_text_comes_back_as_it_was_wherever_it_is_cut(text: str, cuts: list[int]) -> None:
    vault = Vault([text])
    restorer = Restorer(vault)
    assert "".join([*map(restorer.feed, _cut(vault.mask(text), cuts)), restorer.rest()]) == text


@given(st.dictionaries(st.sampled_from(["to", "note", "password"]), _SAID), _CUTS, st.booleans())
def test_arguments_come_back_as_they_were_wherever_they_are_cut(
    arguments: dict[str, str], cuts: list[int], escaped: bool
) -> None:
    said = json.dumps(arguments, ensure_ascii=False)
    vault = Vault([said])
    hidden = vault.mask_json(said)
    if escaped:
        hidden = hidden.replace("<", r"\u003c").replace(">", r"\u003e")
    restorer = Restorer(vault, in_json=True)
    assert json.loads("".join([*map(restorer.feed, _cut(hidden, cuts)), restorer.rest()])) == arguments


def _cut(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]
