"""Figures beside their bars: a line for each, one line of JSON for programs, and the exit code."""

import json
from dataclasses import dataclass, field


@dataclass(slots=True)
class Verdict:
    """What a bench found. A figure with a bar passes when it is not over it."""

    bench: str
    figures: dict[str, float] = field(default_factory=dict[str, float])
    over: list[str] = field(default_factory=list[str])

    def note(self, name: str, value: float, unit: str) -> None:
        """A figure that is only told."""
        self.figures[name] = round(value, 4)
        print(f"  {name:<44} {value:>10.2f} {unit}", flush=True)

    def bar(self, name: str, value: float, most: float, unit: str) -> None:
        """A figure that may be `most`."""
        passed = value <= most
        self.figures[name] = round(value, 4)
        self.over += [] if passed else [name]
        print(f"  {name:<44} {value:>10.2f} {unit}  {'ok' if passed else 'OVER'}, bar {most:g}", flush=True)

    def least(self, name: str, value: float, bar: float) -> None:
        """A figure that must reach `bar`."""
        passed = value >= bar
        self.figures[name] = round(value, 4)
        self.over += [] if passed else [name]
        print(f"  {name:<46} {value:>8.3f}  {'ok' if passed else 'UNDER'}, bar {bar:g}", flush=True)

    def must(self, name: str, holds: bool) -> None:
        """Something that is so or not."""
        self.figures[name] = float(holds)
        self.over += [] if holds else [name]
        print(f"  {name:<44} {'yes' if holds else 'NO'}", flush=True)

    def close(self) -> int:
        """Prints the JSON; 0 when every bar holds."""
        print(json.dumps({"bench": self.bench, "passed": not self.over, "over": self.over, "figures": self.figures}))
        return 1 if self.over else 0
