"""openai-agents as it is, over chat completions and over responses: URL TOKEN MODEL EMBEDDER SCRIPTED."""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

from pydantic import BaseModel

URL, TOKEN, MODEL, EMBEDDER, SCRIPTED = sys.argv[1:]
agents: Any = import_module("agents")
client: Any = import_module("openai").AsyncOpenAI(base_url=f"{URL}/v1", api_key=TOKEN, max_retries=0)
called: list[str] = []


class Mood(BaseModel):
    good: bool


def look(at: str) -> str:
    """Look at something."""
    called.append(at)
    return f"{at} is blue"


async def tried(kind: Any, talker: str) -> dict[str, Any]:
    """Everything that is asked over one of the two. Over responses an answer that its limit cut off is an error to this
    client, so that a model that comes to an end has to talk there."""
    settings = agents.ModelSettings(max_tokens=24)
    near, scripted = kind(MODEL, client), kind(SCRIPTED, client)
    plain = agents.Agent("plain", model=kind(talker, client), model_settings=settings)
    text = (await agents.Runner.run(plain, "hi")).final_output
    running, pieces = agents.Runner.run_streamed(plain, "hi"), list[str]()
    async for event in running.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            pieces.append(event.data.delta)
    forced = agents.Agent("forced", model=near, model_settings=settings, output_type=Mood)
    schema = (await agents.Runner.run(forced, "hi")).final_output.model_dump()
    looking = agents.Agent("looking", model=scripted, tools=[agents.function_tool(look)])
    answer = (await agents.Runner.run(looking, "look up")).final_output
    found = {"text": text, "streamed": "".join(pieces), "schema": schema, "answer": answer}
    return {**found, "called": {"at": called.pop()}}


async def main() -> None:
    agents.set_tracing_disabled(True)
    over_chat = await tried(agents.OpenAIChatCompletionsModel, MODEL)
    over_responses = await tried(agents.OpenAIResponsesModel, SCRIPTED)
    print(json.dumps({"chat": over_chat, "responses": over_responses}))


asyncio.run(main())
