"""How far a download is, read from what uv says about it."""

import re
from dataclasses import dataclass, field

_ANNOUNCED = re.compile(r"^Downloading (\S+) \(([\d.]+)([KMG]iB)\)")
_ARRIVED = re.compile(r"^ *Downloaded (\S+)")
_MB = {"KiB": 1024 / 1e6, "MiB": 1024**2 / 1e6, "GiB": 1024**3 / 1e6}


@dataclass(slots=True)
class Download:
    """The large files of an installation. uv names each twice: with its size, and when it is there."""

    sizes: dict[str, float] = field(default_factory=dict[str, float])
    arrived: set[str] = field(default_factory=set[str])

    def read(self, line: str) -> bool:
        """Takes a line of uv's; true when it told something new."""
        if found := _ANNOUNCED.match(line):
            self.sizes[found[1]] = float(found[2]) * _MB[found[3]]
        elif found := _ARRIVED.match(line):
            self.arrived.add(found[1])
        return found is not None

    @property
    def total(self) -> float:
        """Megabytes announced so far."""
        return sum(self.sizes.values())

    @property
    def done(self) -> float:
        """Megabytes arrived."""
        return sum(size for name, size in self.sizes.items() if name in self.arrived)

    def progress(self, elapsed: float) -> str:
        """`67 of 146 MB, about 4 s left`; no guess before anything arrived."""
        text = f"{self.done:.0f} of {self.total:.0f} MB"
        if not self.done or self.done >= self.total:
            return text
        return f"{text}, about {elapsed * (self.total - self.done) / self.done:.0f} s left"
