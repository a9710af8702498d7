"""The frames of `hearth.v1`, between the extension and the bridge: JSON text, one object each. Pure.

    {"id": 1, "method": "POST", "path": "/v1/…", "body": {…}, "key": "…"} → {"id": 1, "status": 200, "body": {…}}
    {"id": 2, "follow": "/v1/events", "after_seq": 17} → {"id": 2, "events": [{…}, …]} …, {"id": 2, "end": true}
    {"id": 2, "stop": true}
    {"ping": 3} → {"pong": 3}
    {"pair": {"code": "…", "name": "…"}} → {"paired": {…}}

Whatever cannot be done is answered with `{"id": …, "problem": {…}}`. `key` is an Idempotency-Key. What the backend says
is JSON already and goes through as it is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, cast

from hearth_bridge.routes import is_open, is_stream
from hearth_shared.errors import BadRequest, Forbidden, HearthError

_LARGEST: Final = 2**53 - 1
_KEY: Final = re.compile(r"[A-Za-z0-9_.:\-]{1,128}")
_NOTHING: Final[Mapping[str, Any]] = {}


class Call(NamedTuple):
    """Ask the backend once. `body` is JSON, or None."""

    id: int
    method: str
    path: str
    body: bytes | None
    key: str


class Follow(NamedTuple):
    """Listen to a stream of events, after the one with this `seq`."""

    id: int
    path: str
    after_seq: int | None


class Stop(NamedTuple):
    """Listen no longer."""

    id: int


class Ping(NamedTuple):
    """Is anybody there?"""

    number: int


class Pair(NamedTuple):
    """Ask for a token, with the code that the person typed."""

    code: str
    name: str


Frame = Call | Follow | Stop | Ping | Pair


class NotAFrame(ValueError):
    """This is not `hearth.v1`: whoever sent it is no extension of ours, or a broken one."""


class Refused(Exception):
    """A frame that names what a browser may not do; answered, and the connection goes on."""

    def __init__(self, id: int, error: HearthError) -> None:
        super().__init__(error.detail)
        self.id = id
        self.error = error


def read(text: str | bytes) -> Frame:
    """The frame. Raises NotAFrame, or Refused with the problem to answer."""
    said = _object(text)
    if "ping" in said:
        return Ping(_number(said, "ping"))
    if "pair" in said:
        return _pair(said["pair"])
    id = _number(said, "id")
    if said.get("stop") is True:
        return Stop(id)
    return _follow(id, said) if "follow" in said else _call(id, said)


def answered(id: int, status: int, body: bytes) -> str:
    """The backend's answer to a call."""
    return f'{{"id":{id},"status":{status},"body":{body.decode() or "null"}}}'


def told(id: int, events: Iterable[str]) -> str:
    """Events of a stream that came together."""
    return f'{{"id":{id},"events":[{",".join(events)}]}}'


def ended(id: int) -> str:
    """The stream's orderly end."""
    return f'{{"id":{id},"end":true}}'


def pong(number: int) -> str:
    """Somebody is."""
    return f'{{"pong":{number}}}'


def problem(id: int | None, error: HearthError) -> str:
    """Why something could not be done."""
    said = {"problem": error.problem()}
    return json.dumps(said if id is None else {"id": id} | said, ensure_ascii=False, default=str)


def pairing(pair: Pair, origin: str) -> bytes:
    """What the backend is asked for a pairing: the Origin is the one that was seen, whatever the frame says."""
    return json.dumps({"code": pair.code, "origin": origin, "name": pair.name}).encode()


def paired(answer: bytes) -> str:
    """The new token, for the extension alone."""
    return f'{{"paired":{answer.decode()}}}'


def _object(text: str | bytes) -> Mapping[str, Any]:
    if isinstance(text, bytes):
        raise NotAFrame("frames are text")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotAFrame("not JSON") from error
    if not isinstance(said, dict):
        raise NotAFrame("not an object")
    return cast("dict[str, Any]", said)


def _number(said: Mapping[str, Any], name: str) -> int:
    number = said.get(name)
    if type(number) is not int or not 0 <= number <= _LARGEST:
        raise NotAFrame(f"{name} is no number")
    return number


def _text(said: Mapping[str, Any], name: str, most: int) -> str:
    text = said.get(name, "")
    if not isinstance(text, str) or len(text) > most:
        raise NotAFrame(f"{name} is no text of up to {most} characters")
    return text


def _pair(said: object) -> Pair:
    asked = cast("Mapping[str, Any]", said) if isinstance(said, dict) else _NOTHING
    return Pair(_text(asked, "code", 16), _text(asked, "name", 80) or "A browser")


def _follow(id: int, said: Mapping[str, Any]) -> Follow:
    path = _text(said, "follow", 512)
    if not is_stream(path):
        raise Refused(id, Forbidden("A browser cannot follow this.", "It follows /v1/events, or a task's events."))
    return Follow(id, path, None if said.get("after_seq") is None else _number(said, "after_seq"))


def _call(id: int, said: Mapping[str, Any]) -> Call:
    method, path = _text(said, "method", 8), _text(said, "path", 8192)
    if not is_open(method, path):
        raise Refused(id, Forbidden("A browser cannot do this.", "Use the tray, or the command line."))
    key = _text(said, "key", 128)
    if key and not _KEY.fullmatch(key):
        raise Refused(id, BadRequest("This Idempotency-Key has characters that a header may not have."))
    return Call(id, method, path, _body(id, said.get("body")), key)


def _body(id: int, body: object) -> bytes | None:
    if body is None:
        return None
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:  # also a lone surrogate, which UTF-8 has no form for
        raise Refused(id, BadRequest("The body holds what JSON in UTF-8 cannot.")) from error
