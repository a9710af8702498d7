"""A program: the openai SDK as it comes, with a token; a model file streams, and memory says where it knows from."""

import openai

from hearth_shared.protocol.principals import Scope
from proof.chapter import Chapter
from proof.scene import FACT, QUESTION, Scene


def play(scene: Scene) -> Chapter:
    """Chat streamed, embeddings, a wrong token, and the fact that was told in the terminal."""
    chapter = Chapter("program", "Over HTTP, with the openai SDK")
    token = scene.backend.token(Scope.CHAT, Scope.COMPLETE, Scope.MEMORY_READ, Scope.STATUS).text
    with openai.OpenAI(base_url=f"{scene.backend.url}/v1", api_key=token, max_retries=0) as client:
        names = [model.id for model in client.models.list()]
        chapter.say(f"client.models.list() → {', '.join(names)}")
        model = next((name for name in names if name.startswith("hearth-test")), "")
        chapter.check("the model file is listed", bool(model))
        _stream(chapter, client, model)
        vector = client.embeddings.create(model="auto", input="a harbour").data[0].embedding
        chapter.say(f"client.embeddings.create(…) → {len(vector)} numbers")
        chapter.check("embeddings come from the built-in model", len(vector) == 384)
    _wrong_token(chapter, scene)
    results = scene.backend.over_tcp(token).post("/v1/memory/search", json={"query": QUESTION}).json()["results"]
    told = [hit for hit in results if hit["text"] == FACT]
    chapter.say(f"POST /v1/memory/search {QUESTION!r}")
    for hit in told:
        chapter.say(f"  → {hit['text']!r}, said by {hit['speaker']} (source: {hit['source']})")
    chapter.check(
        "what was told in the terminal is found here, with its source", bool(told) and bool(told[0]["source"])
    )
    return chapter


def _stream(chapter: Chapter, client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model, max_tokens=12, stream=True, messages=[{"role": "user", "content": "Hello"}]
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    words = [piece for piece in pieces if piece]
    chapter.say(
        f"client.chat.completions.create(model={model!r}, stream=True) → {len(words)} pieces: {''.join(words)!r}"
    )
    chapter.say("(a generated test model: its words mean nothing)")
    chapter.check("the answer came in pieces", len(words) > 1)


def _wrong_token(chapter: Chapter, scene: Scene) -> None:
    with openai.OpenAI(base_url=f"{scene.backend.url}/v1", api_key="hth_wrong_token", max_retries=0) as stranger:
        try:
            stranger.models.list()
            status = 200
        except openai.APIStatusError as error:
            status = error.status_code
    chapter.say(f"with a wrong token → {status}")
    chapter.check("a wrong token is refused", status == 401)
