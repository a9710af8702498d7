"""pydantic-ai as it is, over OpenAI's chat completions: URL TOKEN MODEL EMBEDDER SCRIPTED."""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

from pydantic import BaseModel

URL, TOKEN, MODEL, EMBEDDER, SCRIPTED = sys.argv[1:]
ai: Any = import_module("pydantic_ai")
models: Any = import_module("pydantic_ai.models.openai")
embeddings: Any = import_module("pydantic_ai.embeddings.openai")
provider: Any = import_module("pydantic_ai.providers.openai").OpenAIProvider(base_url=f"{URL}/v1", api_key=TOKEN)
SETTINGS = {"max_tokens": 24, "seed": 1}
called: list[str] = []


class Mood(BaseModel):
    good: bool


def look(at: str) -> str:
    """Look at something."""
    called.append(at)
    return f"{at} is blue"


async def main() -> None:
    near = models.OpenAIChatModel(MODEL, provider=provider)
    plain = ai.Agent(near, model_settings=SETTINGS)
    text = (await plain.run("hi")).output
    async with plain.run_stream("hi") as stream:
        streamed = "".join([piece async for piece in stream.stream_text(delta=True)])
    forced = ai.Agent(near, output_type=ai.NativeOutput(Mood, strict=True), model_settings=SETTINGS)
    schema = (await forced.run("hi")).output.model_dump()
    scripted = ai.Agent(models.OpenAIChatModel(SCRIPTED, provider=provider), tools=[look])
    answer = (await scripted.run("look up")).output
    embedder = ai.Embedder(embeddings.OpenAIEmbeddingModel(EMBEDDER, provider=provider))
    vectors = [len(vector) for vector in (await embedder.embed_documents(["one", "two"])).embeddings]
    found = {"text": text, "streamed": streamed, "schema": schema, "vectors": vectors, "answer": answer}
    print(json.dumps({"pydantic-ai": {**found, "called": {"at": called[0]}}}))


asyncio.run(main())
