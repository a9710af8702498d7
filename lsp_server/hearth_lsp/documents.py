"""The files that are open in the editor, the last used first, and what they are called."""

from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

from hearth_lsp.document import Change, Document, Encoding


class Documents:
    """By their URI. An unknown one is None, never an error: editors close and ask at the same time."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        self._folders: list[str] = []
        self._open: dict[str, Document] = {}

    def set_folders(self, uris: Sequence[str]) -> None:
        """The folders of the workspace; names are told from there."""
        self._folders = [f"{path_of(uri).rstrip('/')}/" for uri in uris]

    def get(self, uri: str) -> Document | None:
        """An open file."""
        return self._open.get(uri)

    def open(self, uri: str, text: str, version: int, language: str) -> None:
        """The editor shows it now."""
        self._open.pop(uri, None)
        self._open[uri] = Document(uri, text, version=version, language=language, encoding=self.encoding)

    def change(self, uri: str, changes: Sequence[Change], version: int | None) -> None:
        """The person typed."""
        if (document := self._open.get(uri)) is not None:
            document.apply(changes, version)
            self.touch(uri)

    def close(self, uri: str) -> None:
        """The editor forgets it."""
        self._open.pop(uri, None)

    def touch(self, uri: str) -> None:
        """The person looks at it."""
        if (document := self._open.pop(uri, None)) is not None:
            self._open[uri] = document

    def others(self, uri: str) -> Iterator[Document]:
        """The other open files, the last used first."""
        return (document for document in reversed(self._open.values()) if document.uri != uri)

    def name(self, uri: str) -> str:
        """What a person calls it: its path from the workspace's folder, else its own name."""
        path = path_of(uri)
        inside = [path.removeprefix(folder) for folder in self._folders if path.startswith(folder)]
        return min(inside, key=len) if inside else path.rpartition("/")[2] or path or uri

    def project(self, uri: str) -> str:
        """The name of the workspace's folder that it lies in; empty for a file outside."""
        path = path_of(uri)
        holding = [folder for folder in self._folders if path.startswith(folder)]
        return max(holding, key=len).rstrip("/").rpartition("/")[2] if holding else ""

    def names(self) -> dict[str, str]:
        """Of all that are open."""
        return {uri: self.name(uri) for uri in self._open}


def path_of(uri: str) -> str:
    """The path in a URI; of one that is no file, what stands for it."""
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:
        return uri
