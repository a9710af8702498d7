import base64
import hashlib

import pytest

from hearth_shared.extension import CHROMIUM_ID, CHROMIUM_ORIGIN, MANIFEST_KEY, is_extension

pytestmark = pytest.mark.unit

FIREFOX = "moz-extension://0c2f2d1e-7a39-4b6e-9c55-3d5f1f0a8e11"


def test_the_id_is_what_chromium_makes_of_the_key() -> None:
    digest = hashlib.sha256(base64.b64decode(MANIFEST_KEY)).hexdigest()[:32]
    assert digest.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop")) == CHROMIUM_ID


@pytest.mark.parametrize("origin", [CHROMIUM_ORIGIN, FIREFOX])
def test_hearths_extension_is_known_by_its_origin(origin: str) -> None:
    assert is_extension(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "https://example.org",
        f"{CHROMIUM_ORIGIN}/",
        CHROMIUM_ORIGIN.upper(),
        f"{CHROMIUM_ORIGIN}.evil.example",
        "chrome-extension://" + "a" * 32,
        "chrome-extension://",
        f"{FIREFOX}/",
        f"{FIREFOX}\n",
        f"{FIREFOX}.evil.example",
        "moz-extension://evil.example",
        f"https://evil.example/{FIREFOX}",
    ],
)
def test_anybody_else_is_not(origin: str) -> None:
    assert not is_extension(origin)
