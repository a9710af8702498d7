"""An HTTP answer as it comes in, piece by piece: bytes in, body out; no socket."""

import httptools

from hearth_shared.errors import BackendUnavailable


class Answer:
    """What came so far. `status` is 0 until the head is there."""

    def __init__(self) -> None:
        self.status = 0
        self.complete = False
        self._body: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> bytes:
        """The part of the body that these bytes brought. Raises BackendUnavailable when they are no HTTP."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise BackendUnavailable("The backend's answer could not be read.", "See: `hearth doctor`.") from error
        body = b"".join(self._body)
        self._body.clear()
        return body

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.complete = True
