"""`hearth config`: options, from the file and the environment, with a backend or without."""

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any, cast

from hearth_backend.cli.desk import Desk
from hearth_backend.cli.route import route
from hearth_shared.discovery import read_endpoint
from hearth_shared.errors import SettingsError

# hearth_shared.settings takes 100 ms to load (pydantic): only these verbs pay for it, each where it needs it.


def get(desk: Desk, options: Namespace) -> int:
    """What the next start would use."""
    from hearth_shared.settings import load

    values = dict(flat(load(desk.home.config).model_dump()))
    if options.option is None:
        if options.json:
            desk.terminal.json(values)
        else:
            desk.terminal.table([(name, _text(value)) for name, value in values.items()])
        return 0
    if options.option not in values:
        raise SettingsError(f"There is no option `{options.option}`.", "`hearth config docs` lists them all.")
    value = values[options.option]
    if options.json:
        desk.terminal.json(value)
    else:
        desk.terminal.say(_text(value))
    return 0


def put(desk: Desk, options: Namespace) -> int:
    """A running backend writes the file itself; without one it is written here, by the same function."""
    if read_endpoint(desk.home) is None:
        from hearth_shared.config_file import change

        change(desk.home.config, {options.option: options.value})
        desk.terminal.say(f"{options.option} is set.")
        return 0
    body = {"values": {options.option: options.value}}
    found = desk.backend(start=False).request("PUT", route("settings"), body)
    waits = options.option in found["needs_restart"]
    later = " It takes effect when Hearth starts again: `hearth down`, then `hearth up`." if waits else ""
    desk.terminal.say(f"{options.option} is set.{later}")
    return 0


def docs(desk: Desk, options: Namespace) -> int:
    """Every option, from its one declaration."""
    from hearth_shared.settings import Settings

    found = list(described(Settings.model_json_schema()))
    if options.json:
        desk.terminal.json(found)
        return 0
    for entry in found:
        desk.terminal.say((entry["option"], "strong"), (f"  {entry['type']}, default {entry['default']}", "muted"))
        desk.terminal.say(f"    {entry['help']}")
    return 0


def flat(values: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Options by their dotted names."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from flat(cast("dict[str, Any]", value), f"{before}{name}.")
        else:
            yield before + name, value


def described(schema: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Name, type, default and help of every option of the settings' JSON Schema."""
    for section, part in schema["properties"].items():
        named = "additionalProperties" in part
        target = part["additionalProperties"] if named else part
        model = schema["$defs"][_reference(target)]
        for name, field in model["properties"].items():
            yield {
                "option": f"{section}.NAME.{name}" if named else f"{section}.{name}",
                "type": _type(field),
                "default": "none" if "default" not in field else json.dumps(field["default"]),
                "help": field.get("description", ""),
            }


def _reference(part: dict[str, Any]) -> str:
    return part["$ref"].rpartition("/")[2]


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(map(str, field["enum"]))
    kinds = field.get("anyOf", [field])
    return " or ".join(kind["type"] for kind in kinds if kind["type"] != "null")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
