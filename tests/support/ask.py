"""One request from inside the test's own event loop."""

import asyncio
from collections.abc import Mapping

from support import raw_http
from support.raw_http import Answer, Place


async def ask(
    place: Place,
    method: str,
    path: str,
    token: str,
    *,
    body: bytes = b"",
    host: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask with everything that a good client sends, unless told otherwise."""
    named = {"Host": host or (f"127.0.0.1:{place}" if isinstance(place, int) else "localhost")}
    if token:
        named["Authorization"] = f"Bearer {token}"
    if body:
        named |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    data = raw_http.request(method, path, list({**named, **(headers or {})}.items()), body)
    return await asyncio.to_thread(raw_http.exchange, place, data)
