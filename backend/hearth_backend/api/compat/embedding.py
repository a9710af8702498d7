"""Embeddings in OpenAI's shape."""

import base64
import struct
from collections.abc import Sequence

from hearth_backend.api.compat.bodies import EmbeddingBody
from hearth_backend.gateway.messages import Embeddings
from hearth_shared.errors import BadRequest
from hearth_shared.protocol.base import Json


def whole(body: EmbeddingBody, found: Embeddings) -> Json:
    """All vectors, in the order of the texts. `dimensions` is honoured when it is what the model has anyway."""
    if body.dimensions is not None and (there := len(found.vectors[0])) != body.dimensions:
        raise BadRequest(
            f"{found.model} gives {there} dimensions.",
            f"Leave `dimensions` out, or send {there}.",
            field="dimensions",
        )
    packed = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else _plain(vector)}
        for index, vector in enumerate(found.vectors)
    ]
    usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
    return {"object": "list", "data": data, "model": found.model, "usage": usage}


def _plain(vector: Sequence[float]) -> list[float]:
    return [float(number) for number in vector]


def _packed(vector: Sequence[float]) -> str:
    """float32, little-endian, as OpenAI's SDKs ask for it by default."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
