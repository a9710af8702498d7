import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.frames import BrokenFrame, Frames, framed

pytestmark = pytest.mark.unit

WIRE = framed(b"{}") + b"Content-Type: x\r\ncontent-length: 3\r\n\r\nabc" + framed("é".encode())


@pytest.mark.parametrize("cut", range(len(WIRE)))
def test_messages_survive_every_cut(cut: int) -> None:
    frames = Frames()
    assert frames.feed(WIRE[:cut]) + frames.feed(WIRE[cut:]) == [b"{}", b"abc", "é".encode()]


@given(st.lists(st.binary(max_size=300)), st.integers(1, 40))
def test_what_is_framed_comes_out_whole(bodies: list[bytes], step: int) -> None:
    wire, frames = b"".join(map(framed, bodies)), Frames()
    out = [body for at in range(0, len(wire), step) for body in frames.feed(wire[at : at + step])]
    assert out == bodies


@pytest.mark.parametrize(
    "wire",
    [
        b"Content-Type: x\r\n\r\n",
        b"Content-Length: many\r\n\r\n",
        b"Content-Length: -4\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
        b"x" * 9000,
    ],
)
def test_what_cannot_be_cut_ends_the_session(wire: bytes) -> None:
    with pytest.raises(BrokenFrame):
        Frames().feed(wire)


@given(st.binary())
def test_no_bytes_break_it_in_another_way(data: bytes) -> None:
    frames = Frames(longest=100)
    try:
        frames.feed(data)
        frames.feed(data)
    except BrokenFrame:
        pass
