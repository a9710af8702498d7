"""A chapter of the proof: what was done through one door, what was seen, and whether it held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot as PNG."""

    name: str
    caption: str
    png: bytes


@dataclass(slots=True)
class Chapter:
    """One door's part; it holds when every check does."""

    name: str
    title: str
    lines: list[str] = field(default_factory=list[str])
    pictures: list[Picture] = field(default_factory=list[Picture])
    checks: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    fault: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything was as it must be; a chapter that checked nothing proves nothing."""
        return not self.fault and bool(self.checks) and all(held for _, held in self.checks)

    def say(self, text: str) -> None:
        """Add to the transcript."""
        self.lines += text.rstrip("\n").split("\n")

    def check(self, claim: str, held: bool) -> None:
        """A claim, and whether it was seen to hold."""
        self.checks.append((claim, held))

    def show(self, name: str, caption: str, png: bytes) -> None:
        """Add a picture."""
        self.pictures.append(Picture(f"{self.name}-{name}", caption, png))


@dataclass(frozen=True, slots=True)
class Proof:
    """All chapters, with what they ran on and what was not run."""

    chapters: Sequence[Chapter]
    versions: Mapping[str, str]
    figures: Mapping[str, str]
    not_run: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether every door held."""
        return all(chapter.holds for chapter in self.chapters)
