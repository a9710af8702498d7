import pytest

from hearth_shared.repeating import may_be_repeated

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("method", "path", "key", "may"),
    [
        ("GET", "/v1/status", "", True),
        ("POST", "/v1/memory/search", "", True),
        ("POST", "/v1/tasks", "k1", True),
        ("POST", "/v1/tasks", "", False),
        ("POST", "/v1/memory/forget", "", False),
        ("DELETE", "/v1/threads/t", "", False),
    ],
)
def test_what_only_asks_or_has_a_key_may_be_asked_again(method: str, path: str, key: str, may: bool) -> None:
    assert may_be_repeated(method, path, key) is may
