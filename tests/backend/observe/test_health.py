"""A change is said once, a repetition never, and readiness follows what is needed."""

import logging

import pytest

from hearth_backend.observe.health import Health
from hearth_shared.protocol.status import Component

pytestmark = pytest.mark.unit
LOGGER = "hearth_backend.observe.health"


def test_a_needed_component_at_fault_means_not_ready() -> None:
    health = Health(needed=("storage",))
    assert health.ready()
    health.set("engine", "warn", "no model")
    assert health.ready()


@pytest.mark.logs(LOGGER)
def test_readiness_goes_and_comes_back_with_the_needed_component() -> None:
    health = Health(needed=("storage",))
    health.set("storage", "fault", "The disk is full.")
    assert not health.ready()
    health.set("storage", "ok")
    assert health.ready()


@pytest.mark.logs(LOGGER)
def test_another_components_fault_leaves_it_ready() -> None:
    health = Health(needed=("storage",))
    health.set("engine", "fault", "It crashed.")
    assert health.ready()


def test_a_change_is_told_once() -> None:
    health = Health()
    heard: list[Component] = []
    health.on_change(heard.append)
    for _ in range(3):
        health.set("engine", "warn", "no GPU", "Install the driver.")
    health.set("engine", "ok")
    assert [component.state for component in heard] == ["warn", "ok"]


def test_nothing_is_told_after_the_end_of_the_subscription() -> None:
    health = Health()
    heard: list[Component] = []
    end = health.on_change(heard.append)
    end()
    health.set("engine", "ok")
    assert not heard


@pytest.mark.logs(LOGGER)
def test_a_fault_is_logged_once_with_its_fix_and_once_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    health = Health()
    health.set("storage", "fault", "The disk is full.", "Free some space.")
    health.set("storage", "fault", "The disk is still full.", "Free some space.")
    health.set("storage", "ok")
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [("WARNING", "storage: The disk is full. Free some space."), ("INFO", "storage works again")]


def test_a_component_that_starts_well_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Health().set("storage", "ok")
    assert not caplog.records


def test_components_come_in_the_order_of_their_first_word() -> None:
    health = Health()
    health.set("storage", "ok")
    health.set("engine", "warn")
    health.set("storage", "warn")
    assert [component.name for component in health.components()] == ["storage", "engine"]
