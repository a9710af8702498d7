"""llm as it is, with models that a file of its own names: URL TOKEN MODEL EMBEDDER SCRIPTED (LLM_USER_PATH is set)."""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

URL, TOKEN, MODEL, EMBEDDER, SCRIPTED = sys.argv[1:]
NAMED = """
- model_id: {id}
  model_name: {name}
  api_base: "{url}/v1"
  api_key_name: hearth
  supports_schema: true
  supports_tools: true
"""
SCHEMA = {
    "type": "object",
    "properties": {"good": {"type": "boolean"}},
    "required": ["good"],
    "additionalProperties": False,
}
folder = Path(os.environ["LLM_USER_PATH"])
(folder / "keys.json").write_text(json.dumps({"hearth": TOKEN}), "utf-8")
(folder / "extra-openai-models.yaml").write_text(
    NAMED.format(id="near", name=MODEL, url=URL) + NAMED.format(id="scripted", name=SCRIPTED, url=URL), "utf-8"
)
llm: Any = import_module("llm")
called: list[str] = []


def look(at: str) -> str:
    """Look at something."""
    called.append(at)
    return f"{at} is blue"


near, scripted = llm.get_model("near"), llm.get_model("scripted")
found = {
    "text": near.prompt("hi", max_tokens=24, stream=False).text(),
    "streamed": "".join(near.prompt("hi", max_tokens=24)),
    "schema": json.loads(near.prompt("hi", schema=SCHEMA, max_tokens=24, stream=False).text()),
    "answer": scripted.chain("look up", tools=[look]).text(),
}
print(json.dumps({"llm": {**found, "called": {"at": called[0]}}}))
