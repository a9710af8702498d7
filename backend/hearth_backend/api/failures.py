"""The one place where a failure becomes an answer."""

import logging

from hearth_backend.api import problems
from hearth_backend.api.exchange import Call, Reply
from hearth_backend.observe.metrics import Metrics
from hearth_shared.errors import DeadlineExceeded, HearthError

log = logging.getLogger(__name__)


class Failures:
    """Counts every failure, notes it on the span, logs what is ours, and says it in the route's dialect."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def reply(self, error: Exception, call: Call) -> Reply:
        """The whole answer for a call that failed."""
        ours = self.ours(error, call)
        return problems.IN[call.dialect](ours, call.request_id)

    def ours(self, error: Exception, call: Call) -> HearthError:
        """The failure as one of Hearth's. A defect goes to the log with its traceback, and never to the client."""
        found = _ours(error, call.request_id)
        self._metrics.error(found.code)
        if call.span is not None:
            call.span.fail(found.code)
        return found


def _ours(error: Exception, request_id: str) -> HearthError:
    if isinstance(error, HearthError):
        return error
    if isinstance(error, TimeoutError):
        return DeadlineExceeded("This took longer than a call may take.", "Ask for less, or submit it as a task.")
    log.error("the request %s failed", request_id, exc_info=error)
    return HearthError("Hearth itself failed at this request.", f"The log says more about {request_id}.")
