"""Seeded Markdown in pieces of four characters, about a token each: prose, code, lists, tables as models write them."""

import random
from typing import Literal

WORDS = (
    *(
        "the",
        "agent",
        "reads",
        "memory",
        "then",
        "plans",
        "a",
        "step",
        "calls",
        "the",
        "tool",
        "checks",
        "its",
        "result",
    ),
    *(
        "and",
        "writes",
        "a",
        "short",
        "note",
        "about",
        "what",
        "changed",
        "because",
        "retries",
        "with",
        "backoff",
        "keep",
    ),
    *("the", "queue", "healthy", "while", "latency", "stays", "low"),
)
MARKS = ("**bold words**", "`inline_code()`", "*emphasis*", "[a link](https://example.org/x)", "[1]", "~~gone~~")
CODE = (
    "def handler_%d(request, *, timeout: float = 1.5) -> dict:\n",
    "    # comment about step %d\n",
    '    """Docstring %d\n    over two lines."""\n',
    '    value = await client.get(f"/v1/tasks/{task_id}?n=%d")\n',
    "    if value is None or len(items) > %d:\n",
    "        raise ValueError('bad input %d')\n",
    "    return {'status': 'ok', 'n': %d}\n\n",
)
Kind = Literal["mixed", "code", "list", "table"]


def corpus(tokens: int, kind: Kind = "mixed", seed: int = 1) -> list[str]:
    """The pieces of one long answer."""
    made = _Made(random.Random(seed))
    match kind:
        case "code":
            text = made.code(tokens // 10)
        case "list":
            text = made.items(tokens // 15)
        case "table":
            text = made.table(tokens // 12)
        case "mixed":
            text = made.mixed(tokens * 4)
    text = text[: tokens * 4]
    return [text[start : start + 4] for start in range(0, len(text), 4)]


class _Made:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def mixed(self, length: int) -> str:
        """Everything in turn."""
        parts: list[str] = []
        while sum(map(len, parts)) < length:
            parts += [f"## Section {len(parts)}", self.paragraph(60), self.paragraph(45), self.items(6), self.code(40)]
            parts += [f"> {self.paragraph(20)}", self.table(8)] if len(parts) % 3 else [f"> {self.paragraph(20)}"]
        return "\n\n".join(parts)

    def paragraph(self, count: int) -> str:
        """Words, some of them marked."""
        dice = self._dice
        words = (dice.choice(WORDS) if dice.random() > 0.08 else dice.choice(MARKS) for _ in range(count))
        return f"{' '.join(words).capitalize()}."

    def code(self, lines: int) -> str:
        """A block of Python."""
        body = "".join(self._dice.choice(CODE) % self._dice.randint(0, 99) for _ in range(lines))
        return f"```python\n{body}```"

    def items(self, count: int) -> str:
        """A numbered list with some items below."""
        return "\n".join(self._item(number) for number in range(1, count + 1))

    def table(self, rows: int) -> str:
        """Three columns."""
        dice = self._dice
        body = "\n".join(
            f"| m{row} | {dice.random() * 90:.1f} | {' '.join(dice.choices(WORDS, k=5))} |" for row in range(rows)
        )
        return f"| Model | Tokens/s | Notes |\n|---|---:|---|\n{body}"

    def _item(self, number: int) -> str:
        below = f"\n    - {self.paragraph(8)}" if self._dice.random() < 0.3 else ""
        return f"{number}. {self.paragraph(12)}{below}"
