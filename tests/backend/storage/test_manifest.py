import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_backend.storage.manifest import Filed, Manifest, decoded
from hearth_shared.errors import StorageFault

pytestmark = pytest.mark.unit

ONE = Manifest(
    "backup_1",
    1_795_000_000.5,
    asked=True,
    version="0.1.0",
    files=[Filed("data/hearth.db", 70_000, ["ab", "cd"], 10, {"episode": 3}), Filed("config.toml", 5, ["ef"])],
)


def test_what_is_written_is_read() -> None:
    assert decoded(ONE.encoded()) == ONE


@given(st.data())
def test_no_change_of_it_goes_unnoticed(data: st.DataObject) -> None:
    whole = ONE.encoded()
    at = data.draw(st.integers(0, len(whole) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    try:
        read = decoded(whole[:at] + bytes([byte]) + whole[at + 1 :])
    except StorageFault:
        return
    assert read == ONE  # only how the JSON of its first line is spaced


@given(st.binary(max_size=300) | st.integers(0, len(ONE.encoded()) - 2).map(lambda end: ONE.encoded()[:end]))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(StorageFault):
        decoded(data)


def test_a_newer_form_is_told_apart_from_damage() -> None:
    with pytest.raises(StorageFault, match="newer Hearth"):
        decoded(ONE.encoded().replace(b'"format": 1', b'"format": 2'))
