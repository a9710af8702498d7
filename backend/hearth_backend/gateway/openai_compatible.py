"""Any server that speaks OpenAI's dialect: Ollama, LM Studio, llama-server, vLLM, a cloud."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from hearth_backend.gateway.dialect import AnswerReader, chat_body, completion_body
from hearth_backend.gateway.messages import ChatRequest, CompletionRequest
from hearth_backend.gateway.remote import Asked, Remote
from hearth_backend.gateway.server import Keys
from hearth_backend.gateway.stream import Patience
from hearth_shared.settings import Provider as ProviderSettings

_EMBEDDED = TypeAdapter(list[list[float]])


class OpenAICompatible(Remote):
    """One server."""

    def __init__(self, name: str, settings: ProviderSettings, keys: Keys, *, patience: Patience | None = None) -> None:
        super().__init__(name, settings, keys, OpenAIDialect(settings), patience=patience)


class OpenAIDialect:
    """Implements `remote.Dialect`."""

    ends_with_connection = False
    listing = "/models"

    def __init__(self, settings: ProviderSettings) -> None:
        self._local = settings.where != "cloud"
        self._is_openai = urlsplit(settings.url).hostname == "api.openai.com"

    def shows(self, key: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {key}"}

    def ids(self, reply: Mapping[str, Any]) -> list[str]:
        entries = cast("list[Any]", reply["data"]) if isinstance(reply.get("data"), list) else []
        return [
            str(cast("dict[str, Any]", entry)["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry
        ]

    def chat(self, request: ChatRequest, model: str) -> Asked:
        return "/chat/completions", chat_body(request, model, local=self._local, openai_itself=self._is_openai)

    def completion(self, request: CompletionRequest, model: str) -> Asked:
        return "/completions", completion_body(request, model, local=self._local)

    def embedding(self, texts: Sequence[str], model: str) -> Asked:
        return "/embeddings", {"model": model, "input": list(texts), "encoding_format": "float"}

    def vectors(self, reply: Mapping[str, Any]) -> tuple[list[list[float]], int]:
        usage: Any = reply.get("usage")
        tokens: Any = cast("dict[str, Any]", usage).get("prompt_tokens") if isinstance(usage, dict) else 0
        data: Any = reply.get("data")
        entries = cast("list[Any]", data) if isinstance(data, list) else []
        try:
            vectors = _EMBEDDED.validate_python([entry["embedding"] for entry in entries])
        except (ValidationError, TypeError, KeyError):
            vectors = []
        return vectors, tokens if isinstance(tokens, int) else 0

    def reader(self, asked_characters: int) -> AnswerReader:
        return AnswerReader(asked_characters)
