"""Models and inline completion."""

from typing import Literal

from pydantic import Field

from hearth_shared.protocol.base import Message, Request, Text
from hearth_shared.protocol.tasks import MadeBy, Tokens

Role = Literal["chat", "complete", "embed"]
Where = Literal["this machine", "another machine", "cloud"]


class ModelInfo(Message):
    """A model that can be asked now."""

    id: str
    provider: str
    where: Where
    roles: list[Role]
    context: int | None = None
    test_model: bool = False


class ModelFileInfo(Message):
    """A model file of this machine, also one that cannot be used: then `detail` is the cause and `fix` the way out."""

    name: str
    path: str
    bytes: int
    readable: bool
    detail: str = ""
    fix: str = ""
    model: str = Field(description="the id that names it in a call")
    context: int | None = None
    test_model: bool = False


class ModelFileList(Message):
    """The chosen file first, then the newest."""

    files: list[ModelFileInfo]


class CompleteFile(Request):
    """Another open file that may help."""

    name: str = Field(max_length=1024)
    text: Text


class CompleteRequest(Request):
    """Inline completion: the last keystroke per document wins."""

    document: str = Field(min_length=1, max_length=4096)
    version: int = 0
    prefix: Text
    suffix: Text = ""
    language: str = Field(default="", max_length=64)
    context: list[CompleteFile] = Field(default=[], max_length=32)
    max_tokens: int = Field(default=64, ge=1, le=1024)


class CompleteAnswer(Message):
    """What may follow the prefix; empty when superseded by a newer keystroke."""

    text: str
    finish_reason: Literal["stop", "length", "superseded"]
    made_by: MadeBy
    tokens: Tokens = Tokens()


class TokenizeRequest(Request):
    """Text to cut into a local model's tokens."""

    text: Text
    model: str | None = None


class TokenizeAnswer(Message):
    """Token ids of the local model."""

    tokens: list[int]
    model: str


class DetokenizeRequest(Request):
    """A local model's token ids to join into text."""

    tokens: list[int] = Field(max_length=200_000)
    model: str | None = None


class DetokenizeAnswer(Message):
    """The text."""

    text: str
    model: str


class KeyRequest(Request):
    """A provider's key; write-only: it goes to the keyring and is never shown."""

    key: str = Field(min_length=1, max_length=4096, repr=False)


class KeyState(Message):
    """Whether a provider has a key, and where it is kept; never the key."""

    provider: str
    present: bool
    kept_in: Literal["keyring", "environment", "nowhere"]


class KeyTestRequest(Request):
    """Nothing more needs to be told."""


class KeyTest(Message):
    """What a provider said when it was asked for its models with the key there is."""

    provider: str
    ok: bool
    detail: str
    fix: str = ""


class KeyList(Message):
    """The providers' keys, by name."""

    keys: list[KeyState]
