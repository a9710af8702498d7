"""Paths of the backend's API, with what a person typed made safe inside them."""

from urllib.parse import quote, urlencode


def route(*parts: str, **query: str | int | None) -> str:
    """`/v1/` and the parts; a query field that is None is left out."""
    path = "/v1/" + "/".join(quote(part, safe="") for part in parts)
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path
