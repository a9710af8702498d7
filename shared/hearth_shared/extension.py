"""Who the browser extension is. Standard library only.

Chromium derives an extension's id from the public key in its manifest, so the same id holds unpacked, packed and from
a store, and can be pinned. The private half of this key was never kept: only a store's own signing replaces it. Firefox
gives an extension an address of its own in each profile, so there the token alone decides.
"""

import re
from typing import Final

MANIFEST_KEY: Final = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArWesfnwpPM209XYfdtxaRtGVICzYHEi1TgZGFKgaG6RZ1y0YPETV"
    "Ik8Se/R24YrO8XzQxrBY0graLwW52HYStuaGyvDBdJ1HHvupb8NgaGXEZAEl/IaAF90aL5paYTr+hJ1d3zsznhPlmxYBlwBh"
    "G7O97+hUpilWKWXe9PtORrSpfdDokG0PmvBsNLIG3hvCkC0DoyJi++Z7XAamPk4+JeFGXz9ZNY+PYu8mwISxzu8g8waZItht"
    "p1bsQ1SkKfKORjr6NHvHh+8TdP2N22zhmAGhc51Lr4i7wewkcWdY6odfGkFunMLtk36tTmFPMPsFf5B+pzc3h2+EW0b1gKx+"
    "lQIDAQAB"
)
CHROMIUM_ID: Final = "mmfghieoaohpndcnjnmolnamnbkjfcmp"
CHROMIUM_ORIGIN: Final = f"chrome-extension://{CHROMIUM_ID}"
GECKO_ID: Final = "hearth@hearth.dev"
NATIVE_HOST: Final = "dev.hearth.host"
BRIDGE_PORT: Final = 4748
_FIREFOX: Final = re.compile(r"moz-extension://[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_extension(origin: str) -> bool:
    """Whether an Origin can be that of Hearth's extension: exactly ours in Chromium, any in Firefox."""
    return origin == CHROMIUM_ORIGIN or _FIREFOX.fullmatch(origin) is not None
