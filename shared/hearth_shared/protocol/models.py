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


class PullRequest(Request):
    """A model file to fetch from the hub: REPO, REPO:FILE, REPO:QUANTISATION, or a name of the catalogue."""

    source: str = Field(min_length=1, max_length=512)


DownloadState = Literal["looking", "fetching", "checking", "done", "failed", "cancelled"]


class Download(Message):
    """One download; it goes on while nobody is connected. `seq` is its latest event."""

    id: str
    source: str
    state: DownloadState
    file: str = ""
    done: int = Field(default=0, description="bytes that are here")
    total: int = Field(default=0, description="bytes there will be; 0 while that is not known")
    rate: float = Field(default=0.0, description="bytes a second, of late")
    left_s: float | None = Field(default=None, description="seconds left at that rate")
    model: str = Field(default="", description="the id of the model once it is here")
    licence: str = ""
    code: str = Field(default="", description="why it failed, for programs")
    detail: str = ""
    fix: str = ""
    seq: int = 0


class DownloadList(Message):
    """Those under way, and those that ended since the backend was started."""

    downloads: list[Download]


class CatalogueEntry(Message):
    """A model file Hearth knows: what it is for, what it takes, and whether it fits this machine."""

    name: str
    source: str
    roles: list[Role]
    bytes: int
    licence: str
    context: int
    fits: Literal["gpu", "partly", "memory", "no"]
    detail: str = Field(description="how it would run here, in words")
    here: bool = Field(description="whether the file is in the models folder already")


class Catalogue(Message):
    """The shipped list, smallest first; `offered` is the name that suits this machine best."""

    models: list[CatalogueEntry]
    offered: str = ""


class PlanRequest(Request):
    """How a model file would be loaded here; `context` and `gpu_layers` as wished, else as the settings say."""

    file: str = Field(min_length=1, max_length=4096)
    context: int | None = Field(default=None, ge=256, le=1_048_576)
    gpu_layers: int | None = Field(default=None, ge=-1, le=100_000)


class Plan(Message):
    """How a model file would be loaded here, what it would take, and why."""

    model: str
    backend: str
    device: str = ""
    gpu_layers: int
    layers: int = Field(description="layers there are, the output counted as one")
    context: int
    kv_type: str
    gpu_bytes: int = Field(description="predicted on the GPU")
    memory_bytes: int = Field(description="predicted in the machine's own memory")
    gpu_free: int = 0
    memory_free: int = 0
    fits: bool
    reasons: list[str]


class ModelFileDetail(Message):
    """One model file: what it says of itself, how it would be loaded, how fast its latest answer was here."""

    file: ModelFileInfo
    architecture: str
    name: str
    layers: int
    vocabulary: int
    trained_context: int
    roles: list[Role]
    chat_template: bool
    plan: Plan
    loaded: bool = False
    load_s: float | None = None
    tokens_per_s: float | None = Field(default=None, description="of the latest answer")
    words_per_s: float | None = Field(default=None, description="of the latest answer")
    first_s: float | None = Field(default=None, description="seconds to the first word of the latest answer")
    first_read: int | None = Field(default=None, description="tokens of the prompt that were read for it")
    pinned: bool = Field(default=False, description="whether it stays loaded though nobody asks it")


class FileRemoved(Message):
    """What went, and how much room that made."""

    model: str
    files: list[str]
    bytes: int


Backend = Literal["cpu", "vulkan", "cuda", "metal", "rocm"]


class EngineDevice(Message):
    """A device that a build of the engine can use."""

    name: str
    detail: str
    kind: Literal["cpu", "gpu", "integrated", "accelerator"]
    free: int = 0
    total: int = 0


class EngineBuildInfo(Message):
    """A build of llama.cpp on this machine, and what it finds when it is tried."""

    backend: Backend
    version: str
    origin: Literal["installed with Hearth", "added"]
    bytes: int
    chosen: bool
    usable: bool
    detail: str = ""
    devices: list[EngineDevice] = []


class EngineBuilds(Message):
    """The builds there are, and the backend that would suit this machine."""

    builds: list[EngineBuildInfo]
    suits: Backend
    why: str


class InstallRequest(Request):
    """A build to add; `auto` takes what suits this machine."""

    backend: Literal["auto", "cpu", "vulkan", "cuda", "metal", "rocm"]


class Installation(Message):
    """A build in the making; `seq` is its latest event."""

    id: str
    backend: Backend
    state: Literal["building", "trying", "done", "failed", "cancelled"]
    stage: str = ""
    percent: int | None = None
    seconds: float = 0.0
    left_s: float | None = None
    log: str = ""
    code: str = ""
    detail: str = ""
    fix: str = ""
    seq: int = 0


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
