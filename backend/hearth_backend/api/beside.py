"""What is laid beside a question: pages from a browser, and what a surface was said to see, made ready for a run."""

from hearth_backend.api.principals import Principal
from hearth_backend.memory.working import Working
from hearth_backend.storage.consents import Consents
from hearth_shared.protocol.context import Seen
from hearth_shared.protocol.principals import Door
from hearth_shared.protocol.tasks import FileText, TaskContext


class Beside:
    """Reads the context of a request. Nothing of a site that the person said no to comes through the browser."""

    def __init__(self, working: Working, consents: Consents) -> None:
        self._working = working
        self._consents = consents

    def ready(self, who: Principal, context: TaskContext, *, local_only: bool) -> tuple[TaskContext, bool]:
        """The context with what it names in place of the names, and whether the run has to stay on this machine.

        Raises NoConsent, or NotFound for what is held no more.
        """
        if not context.files and not context.seen:
            return context, local_only
        if who.door is Door.BROWSER:
            self._consents.check(who.door.value, [file.name for file in context.files])
        seen = self._working.get(who.owner, context.seen)
        stays = local_only or any(one.sensitivity == "local only" for one in seen)
        files = [*context.files, *(text for one in seen if (text := _text(one)) is not None)]
        return context.model_copy(update={"files": files, "seen": []}), stays


def _text(seen: Seen) -> FileText | None:
    """As a file or page; None for one without a word."""
    origin = seen.kind if seen.kind in ("page", "selection") else "file"
    name = seen.url or seen.path or seen.title or seen.kind
    return FileText(name=name, text=seen.text, origin=origin, title=seen.title) if seen.text.strip() else None
