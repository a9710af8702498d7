from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearth_desktop.settings import schema
from hearth_desktop.settings.schema import Kind, Option
from hearth_shared.settings import Settings
from hearth_shared.wire import SettingsView

pytestmark = pytest.mark.unit


def view(**values: Any) -> SettingsView:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return {"json_schema": Settings.model_json_schema(), "values": named, "needs_restart": []}


def options(shown: SettingsView, environ: tuple[str, ...] = ()) -> dict[str, Option]:
    return {option.name: option for section in schema.sections(shown, environ) for option in section.options}


def test_every_option_of_the_backend_is_there() -> None:
    declared = Settings().model_dump()
    expected = {f"{name}.{key}" for name, section in declared.items() if name != "providers" for key in section}
    assert set(options(view())) == expected


def test_each_has_its_kind_range_default_and_help() -> None:
    found = options(view(server__port=4800))
    port = found["server.port"]
    assert (port.kind, port.least, port.most, port.default, port.value) == (Kind.WHOLE, 0, 65535, 4747, 4800)
    assert port.is_changed
    assert "HTTP door" in port.help
    assert found["models.cloud"].choices == ("never", "fallback", "allowed")
    assert found["models.look_around"].kind is Kind.SWITCH
    assert found["runs.keep_days"].above == 0
    assert not found["models.chat"].is_changed


def test_a_named_server_has_a_section_of_its_own() -> None:
    shown = view(providers__workshop__url="http://x/v1", providers__workshop__where="another machine")
    section = next(one for one in schema.sections(shown, ()) if one.name == "providers.workshop")
    url, price = section.options[0], section.options[-1]
    assert (section.title, url.name, url.value, url.has_default) == (
        "workshop",
        "providers.workshop.url",
        "http://x/v1",
        False,
    )
    assert price.may_be_empty
    assert not url.is_changed


def test_what_people_look_for_comes_first() -> None:
    assert [section.name for section in schema.sections(view(), ())][:3] == ["models", "engine", "memory"]


def test_an_option_held_by_the_environment_is_locked() -> None:
    found = options(view(), ("HEARTH_SERVER__PORT", "HEARTH_HOME", "HEARTH_KEY_OPENAI", "PATH"))
    assert {name for name, option in found.items() if option.locked_by} == {"server.port"}
    assert found["server.port"].locked_by == "HEARTH_SERVER__PORT"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("server.port", "4,800", 4800),
        ("server.port", " 0 ", 0),
        ("observe.sample", "0.5", 0.5),
        ("models.chat", "  auto ", "auto"),
    ],
)
def test_what_is_typed_becomes_a_value(name: str, text: str, value: Any) -> None:
    assert schema.parsed(options(view())[name], text) == value


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("server.port", "70000", "At most 65,535."),
        ("server.port", "-1", "At least 0."),
        ("server.port", "x", "whole number"),
        ("server.port", "1.5", "whole number"),
        ("runs.keep_days", "0", "More than 0."),
        ("observe.sample", "nan", "number"),
        ("observe.sample", "", "number"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(name: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        schema.parsed(options(view())[name], text)


def test_what_may_be_empty_may_be_emptied() -> None:
    shown = view(providers__a__url="http://x/v1", providers__a__input_price=1.5)
    price = options(shown)["providers.a.input_price"]
    assert schema.parsed(price, "") is None
    assert schema.parsed(price, "2") == 2


@given(st.text(max_size=40))
def test_nothing_that_is_typed_does_more_than_be_refused(text: str) -> None:
    for option in options(view()).values():
        with suppress(ValueError):
            value = schema.parsed(option, text)
            assert option.kind is Kind.TEXT or isinstance(value, int | float)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("linger_s", "Linger (seconds)"),
        ("gpu_layers", "GPU layers"),
        ("otlp_url", "OpenTelemetry URL"),
        ("keep_days", "Keep days"),
        ("url", "URL"),
    ],
)
def test_a_name_is_told_in_words(name: str, said: str) -> None:
    assert schema.titled(name) == said


def test_a_search_finds_by_name_title_and_help() -> None:
    port = options(view())["server.port"]
    assert schema.matches(port, "PORT")
    assert schema.matches(port, "http door")
    assert schema.matches(port, "server.port")
    assert not schema.matches(port, "http zebra")


def test_an_error_names_its_option() -> None:
    assert schema.named_in("The option `server.port` cannot be 'x': no.") == "server.port"
    assert not schema.named_in("Something else happened.")


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_schema_of_another_time_breaks_nothing(field: Any) -> None:
    strange = {"properties": {"new": {"properties": {"thing": {"type": "array", "default": field}}}}}
    shown: SettingsView = {"json_schema": strange, "values": {}, "needs_restart": []}
    (option,) = options(shown).values()
    assert option.kind is Kind.TEXT
    assert isinstance(schema.shown(option.value), str)
