"""What embedding models were trained to read before a question and before a passage.

A model that was trained with prefixes finds less without them. GGUF files do not name them, so they are known here by
the names of the families; an unknown model gets none.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Text that goes before what is asked, and before what is searched."""

    query: str = ""
    document: str = ""


NO_PREFIXES = Prefixes()
_PASSAGES = "Represent this sentence for searching relevant passages: "
_INSTRUCT = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
_KNOWN = (  # the first name that is found; from the models' own pages
    (("nomic-embed",), Prefixes("search_query: ", "search_document: ")),
    (("multilingual-e5-large-instruct", "e5-mistral"), Prefixes(_INSTRUCT.replace("Query:", "Query: "))),
    (("e5-",), Prefixes("query: ", "passage: ")),
    (("bge-m3",), NO_PREFIXES),
    (("bge-", "mxbai-embed", "snowflake-arctic-embed"), Prefixes(_PASSAGES)),
    (("qwen3-embedding",), Prefixes(_INSTRUCT)),
    (("embeddinggemma", "embedding-gemma"), Prefixes("task: search result | query: ", "title: none | text: ")),
)


def prefixes_of(*names: str) -> Prefixes:
    """The prefixes of a model by what it is called: its file, and the name in its header."""
    called = " ".join(names).lower().replace("_", "-").replace(" ", "-")
    return next((prefixes for family, prefixes in _KNOWN if any(name in called for name in family)), NO_PREFIXES)
