"""langchain-openai and langchain-ollama as they are: URL TOKEN MODEL EMBEDDER SCRIPTED."""

import json
import sys
from importlib import import_module
from typing import Any

URL, TOKEN, MODEL, EMBEDDER, SCRIPTED = sys.argv[1:]
SCHEMA = {"title": "Mood", "type": "object", "properties": {"good": {"type": "boolean"}}, "required": ["good"]}
openai: Any = import_module("langchain_openai")
ollama: Any = import_module("langchain_ollama")
tool: Any = import_module("langchain_core.tools").tool
messages: Any = import_module("langchain_core.messages")


@tool
def look(at: str) -> str:
    """Look at something."""
    return f"{at} is blue"


def round_trip(model: Any) -> dict[str, Any]:
    """A tool is called, its result goes back, and the answer comes."""
    bound, said = model.bind_tools([look]), [messages.HumanMessage("look up")]
    called = bound.invoke(said)
    results = [look.invoke(call) for call in called.tool_calls]
    return {"called": called.tool_calls[0]["args"], "answer": bound.invoke([*said, called, *results]).content}


def tried(model: Any, scripted: Any, embedder: Any, **forced: Any) -> dict[str, Any]:
    """Everything that is asked of one of the two."""
    return {
        "text": model.invoke("hi").content,
        "streamed": "".join(piece.content for piece in model.stream("hi")),
        "schema": model.with_structured_output({**SCHEMA, "additionalProperties": False}, **forced).invoke("hi"),
        "vectors": [len(vector) for vector in embedder.embed_documents(["one", "two"])],
        **round_trip(scripted),
    }


def by_openai() -> dict[str, Any]:
    asked: dict[str, Any] = {"base_url": f"{URL}/v1", "api_key": TOKEN, "max_retries": 0}
    return tried(
        openai.ChatOpenAI(model=MODEL, max_tokens=24, seed=1, **asked),
        openai.ChatOpenAI(model=SCRIPTED, **asked),
        openai.OpenAIEmbeddings(model=EMBEDDER, check_embedding_ctx_length=False, **asked),
        method="json_schema",
        strict=True,
    )


def by_ollama() -> dict[str, Any]:
    asked: dict[str, Any] = {"base_url": URL, "client_kwargs": {"headers": {"Authorization": f"Bearer {TOKEN}"}}}
    return tried(
        ollama.ChatOllama(model=MODEL, num_predict=24, seed=1, **asked),
        ollama.ChatOllama(model=SCRIPTED, **asked),
        ollama.OllamaEmbeddings(model=EMBEDDER, **asked),
        method="json_schema",
    )


print(json.dumps({"openai": by_openai(), "ollama": by_ollama()}))
