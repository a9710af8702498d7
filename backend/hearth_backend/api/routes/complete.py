"""Inline completion: what may stand at the cursor. A newer keystroke in the same document ends the older request."""

import asyncio

from hearth_backend.api.endpoint import Endpoint, post
from hearth_backend.api.exchange import Call
from hearth_backend.api.model_answer import ModelAnswer, gathered
from hearth_backend.gateway.messages import CompletionRequest, Models, Sampling
from hearth_shared.protocol.models import CompleteAnswer, CompleteRequest
from hearth_shared.protocol.principals import Scope
from hearth_shared.protocol.tasks import MadeBy

Document = tuple[str, str]


class Keystroke:
    """A request in flight. `superseded` is set by a newer one, before it cancels the model's work."""

    __slots__ = ("superseded", "version", "work")

    def __init__(self, version: int, work: "asyncio.Task[ModelAnswer]") -> None:
        self.version = version
        self.work = work
        self.superseded = False

    def supersede(self) -> None:
        """A newer keystroke is here."""
        self.superseded = True
        self.work.cancel()


class Complete:
    """`/v1/complete`."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._newest: dict[Document, Keystroke] = {}

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        route = post(
            "/v1/complete",
            CompleteRequest,
            self.complete,
            "Complete at the cursor; the last keystroke of a document wins, older ones answer `superseded`.",
            answer=CompleteAnswer,
            kind="model",
            completion=True,
        )
        return (route.needing(Scope.COMPLETE),)

    async def complete(self, call: Call, body: CompleteRequest) -> CompleteAnswer:
        """The whole suggestion, or an empty one when a newer keystroke came."""
        document = (call.principal.name, body.document)
        before = self._newest.get(document)
        if before is not None:
            if before.version > body.version:
                return _SUPERSEDED
            before.supersede()
        keystroke = Keystroke(body.version, self._ask(call, body))
        self._newest[document] = keystroke
        try:
            return _answer(await keystroke.work)
        except asyncio.CancelledError:
            if keystroke.superseded:
                return _SUPERSEDED
            keystroke.work.cancel()
            raise
        finally:
            if self._newest.get(document) is keystroke:
                del self._newest[document]

    def _ask(self, call: Call, body: CompleteRequest) -> "asyncio.Task[ModelAnswer]":
        files = tuple((file.name, file.text) for file in body.context)
        request = CompletionRequest(
            body.prefix,
            body.suffix,
            sampling=Sampling(max_tokens=body.max_tokens, temperature=0.0),
            files=files,
            document=body.document,
        )
        return asyncio.create_task(gathered(self._models.complete(request, call.caller("inline"))))


_SUPERSEDED = CompleteAnswer(text="", finish_reason="superseded", made_by=MadeBy())


def _answer(found: ModelAnswer) -> CompleteAnswer:
    reason = "length" if found.reason == "length" else "stop"
    return CompleteAnswer(text=found.text, finish_reason=reason, made_by=found.made_by, tokens=found.tokens)
