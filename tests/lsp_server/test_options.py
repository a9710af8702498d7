import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_lsp.options import Options, read

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["hearth", "completion", "hover", "enabled", "debounceMs", "answers"]), inner)
    ),
    max_leaves=12,
)


def test_what_is_named_is_taken_and_the_rest_stays() -> None:
    options, wrong = read({"hearth": {"completion": {"enabled": False, "debounceMs": 10}, "answers": "client"}})
    assert (options, wrong) == (Options(completion=False, debounce_ms=10, answers="client"), [])
    options, _ = read({"hover": {"enabled": False}}, options)
    assert options == Options(completion=False, debounce_ms=10, hover=False, answers="client")


def test_what_cannot_be_used_is_said_and_the_default_holds() -> None:
    options, wrong = read({"completion": {"enabled": "yes", "debounceMs": -1}, "answers": 3})
    assert options == Options()
    assert len(wrong) == 3


@given(JSON)
def test_nothing_breaks_it(given_: object) -> None:
    options, _ = read(given_)
    assert 0 <= options.debounce_ms <= 2000
