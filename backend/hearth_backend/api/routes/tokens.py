"""Text to a local model's tokens, and back."""

from hearth_backend.api.endpoint import Endpoint, post
from hearth_backend.api.exchange import Call
from hearth_backend.services import Services
from hearth_shared.protocol.models import DetokenizeAnswer, DetokenizeRequest, TokenizeAnswer, TokenizeRequest
from hearth_shared.protocol.principals import Scope


class Tokens:
    """`/v1/tokenize` and `/v1/detokenize`."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The routes."""
        return (
            post(
                "/v1/tokenize",
                TokenizeRequest,
                self.tokenize,
                "A text's tokens.",
                answer=TokenizeAnswer,
                kind="model",
            ).needing(Scope.CHAT, Scope.COMPLETE),
            post(
                "/v1/detokenize",
                DetokenizeRequest,
                self.detokenize,
                "The text of tokens.",
                answer=DetokenizeAnswer,
                kind="model",
            ).needing(Scope.CHAT, Scope.COMPLETE),
        )

    async def tokenize(self, call: Call, body: TokenizeRequest) -> TokenizeAnswer:
        """By the model's own tokenizer."""
        state = await self._engine.info(body.model or "")
        return TokenizeAnswer(tokens=await self._engine.tokenize(state.file.id, body.text), model=state.file.id)

    async def detokenize(self, call: Call, body: DetokenizeRequest) -> DetokenizeAnswer:
        """By the model's own tokenizer."""
        state = await self._engine.info(body.model or "")
        return DetokenizeAnswer(text=await self._engine.detokenize(state.file.id, body.tokens), model=state.file.id)
