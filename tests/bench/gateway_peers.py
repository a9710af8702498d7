"""One library against a server that fails, with a healthy one to fall back to. Runs in an environment of its own (see
gateway.py), so it imports nothing of Hearth.

gateway_peers.py openai|pydantic-ai|litellm URL SECONDS CASES

URL has {} where the fault goes; CASES is a JSON list of [fault, streamed]. A line of JSON for each case.
"""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import asyncio
import json
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

Case = Callable[[str, bool], Awaitable[str]]
HELLO: list[Any] = [{"role": "user", "content": "hi"}]


def openai_case(url: str, seconds: float) -> Case:
    """The client as it comes: two retries, no fallback."""
    from openai import AsyncOpenAI

    async def ask(fault: str, streamed: bool) -> str:
        client = AsyncOpenAI(api_key="x", base_url=url.format(fault), timeout=seconds)
        if not streamed:
            got: Any = await client.chat.completions.create(model="m", messages=HELLO)
            return got if isinstance(got, str) else _of(got.choices[0].message)
        said = ""
        async for chunk in await client.chat.completions.create(model="m", messages=HELLO, stream=True):
            said += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        return said

    return ask


def pydantic_case(url: str, seconds: float) -> Case:
    """FallbackModel over two models, the client's own retries off."""
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models.fallback import FallbackModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    def model(name: str) -> Any:
        client = AsyncOpenAI(api_key="x", base_url=url.format(name), timeout=seconds, max_retries=0)
        return OpenAIChatModel("m", provider=OpenAIProvider(openai_client=client))

    async def ask(fault: str, streamed: bool) -> str:
        agent = Agent(FallbackModel(model(fault), model("ok")))
        if not streamed:
            return str((await agent.run("hi")).output)
        said = ""
        async with agent.run_stream("hi") as run:
            async for text in run.stream_text(delta=True, debounce_by=None):
                said += text
        return said

    return ask


def litellm_case(url: str, seconds: float) -> Case:
    """Its Router with one fallback, no retries."""
    import litellm
    from litellm import Router

    litellm.suppress_debug_info, litellm.telemetry = True, False

    def entry(name: str, path: str) -> Any:
        params = {"model": "openai/m", "api_base": url.format(path), "api_key": "x", "timeout": seconds}
        return {"model_name": name, "litellm_params": params}

    async def ask(fault: str, streamed: bool) -> str:
        router = Router([entry("p", fault), entry("q", "ok")], fallbacks=[{"p": ["q"]}], num_retries=0)
        got: Any = await router.acompletion(model="p", messages=HELLO, stream=streamed)
        if not streamed:
            return _of(got.choices[0].message)
        said = ""
        async for chunk in got:
            said += chunk.choices[0].delta.content or ""
        return said

    return ask


def _of(message: Any) -> str:
    calls = message.tool_calls or ()
    return message.content or "".join(call.function.arguments for call in calls)


async def main(library: str, url: str, seconds: float, cases: list[tuple[str, bool]]) -> None:
    """Each case once; what was returned without an error counts as an answer."""
    made = {"openai": openai_case, "pydantic-ai": pydantic_case, "litellm": litellm_case}[library](url, seconds)
    for fault, streamed in cases:
        began, error, said = time.perf_counter(), "", ""
        try:
            async with asyncio.timeout(30):
                said = await made(fault, streamed)
        except Exception as raised:
            error = type(raised).__name__
        took = time.perf_counter() - began
        print(json.dumps({"fault": fault, "streamed": streamed, "s": took, "said": said, "error": error}), flush=True)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), json.loads(sys.argv[4])))
