"""How each part of the backend is: said once when it changes, and once when it is well again."""

import logging
from collections.abc import Callable, Collection

from hearth_shared.protocol.status import CheckState, Component

log = logging.getLogger(__name__)
Changed = Callable[[Component], None]


class Health:
    """Components and their states. `needed` names those without which the backend is not ready.

    A fault is logged as WARNING (a person should look), a degraded part as INFO; repeating a state says nothing.
    """

    def __init__(self, needed: Collection[str] = ("storage",)) -> None:
        self._needed = frozenset(needed)
        self._components: dict[str, Component] = {}
        self._listeners: list[Changed] = []

    def set(self, component: str, state: CheckState, detail: str = "", fix: str = "") -> None:
        """Say how a component is now; listeners hear of a change of state, detail or fix, not of repetitions."""
        now = Component(name=component, state=state, detail=detail, fix=fix)
        before = self._components.get(component)
        if now == before:
            return
        self._components[component] = now
        _say(before, now)
        for listener in tuple(self._listeners):
            listener(now)

    def components(self) -> list[Component]:
        """All of them, in the order in which they were first heard of."""
        return list(self._components.values())

    def ready(self) -> bool:
        """False while a needed component cannot do its work."""
        return not any(self._at_fault(name) for name in self._needed)

    def on_change(self, listener: Changed) -> Callable[[], None]:
        """Call `listener` with each change from now on; the value returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _at_fault(self, name: str) -> bool:
        component = self._components.get(name)
        return component is not None and component.state == "fault"


def _say(before: Component | None, now: Component) -> None:
    if before is not None and before.state == now.state:
        return
    if now.state == "ok":
        if before is not None:
            log.info("%s works again", now.name)
        return
    level = logging.WARNING if now.state == "fault" else logging.INFO
    log.log(level, "%s: %s", now.name, " ".join(part for part in (now.detail, now.fix) if part) or now.state)
