"""The SQL of the word index: where a word stands, and what the index calls it."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hearth_backend.storage import driver
from hearth_backend.storage.driver import Connection

_MOST_KNOWN: Final = 4096


def occurrences(connection: Connection, word: str, tokens: Sequence[str]) -> NDArray[np.int64]:
    """The rows of all spaces whose text holds a word, each as often as it stands there.

    They come as one string: a common word has thousands of rows, and each would cost more as a value of its own than
    finding it did. `word` must be one alphanumeric token, whatever a person typed; where the index splits it in
    `tokens`, these are looked for as a phrase, and a row comes once.
    """
    if len(tokens) == 1:
        row = connection.execute("select group_concat(doc) from episode_word where term = ?", tuple(tokens)).fetchone()
    else:
        sql = "select group_concat(rowid) from episode_fts where episode_fts match ?"
        row = connection.execute(sql, (f'"{word}"',)).fetchone()
    return np.fromstring(row[0], np.int64, sep=",") if row[0] else np.zeros(0, np.int64)


class Stems:
    """What the word index makes of a word: its tokens as FTS5 stems them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        self._connection: Connection | None = None

    def of(self, word: str) -> Sequence[str]:
        """One token for a word of most languages."""
        with self._lock:
            if word not in self._known:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[word] = self._asked(word)
            return self._known[word]

    def close(self) -> None:
        """Let go of the index that is asked."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _asked(self, word: str) -> tuple[str, ...]:
        if self._connection is None:
            self._connection = _empty_index()
        self._connection.execute("insert into word(text) values (?)", (word,))
        tokens = tuple(row[0] for row in self._connection.execute("select term from token order by offset"))
        self._connection.execute("delete from word")
        return tokens


def _empty_index() -> Connection:
    connection = driver.in_memory()
    connection.execute("create virtual table word using fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    connection.execute("create virtual table token using fts5vocab(word, instance)")
    return connection
