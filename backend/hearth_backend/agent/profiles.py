"""The agents that tasks can be given to: a file each in the home's `profiles` folder, which a person may edit."""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from hearth_backend.agent.profile_file import LARGEST, NAME, ProfileFile, Routes, parse
from hearth_shared.errors import SettingsError
from hearth_shared.protocol.tasks import Agent, AgentList, Budget

log = logging.getLogger(__name__)
_SHIPPED: Final = ("assistant", "coder", "librarian")
_GLANCE_S: Final = 1.0
_RESERVED: Final = ("auto",)  # a task that names no agent
_STAMP: Final = "# As shipped, "


@dataclass(frozen=True, slots=True)
class Profile:
    """What an agent is told and may use. `problem` says why its file is not used; what is shipped stands in for it."""

    id: str
    title: str
    description: str
    instructions: str
    tools: tuple[str, ...]
    unasked: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    chat_model: str = "auto"
    routes: Routes = field(default_factory=Routes)
    problem: str = ""

    def public(self) -> Agent:
        """As the wire shows it."""
        return Agent(
            id=self.id,
            title=self.title,
            description=self.description,
            tools=list(self.tools),
            unasked=list(self.unasked),
            budget=self.budget,
            model=self.chat_model,
            problem=self.problem,
        )


class Profiles(Mapping[str, Profile]):
    """All profiles by id, as their files are now: a file that was changed is read again when somebody asks.

    `folder` None: the shipped ones alone. A broken file is named with its line; where a profile of that name is
    shipped, that one serves.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] = {}
        self._profiles: dict[str, Profile] = dict(shipped())
        self._broken: dict[str, str] = {}
        self._looked_at = float("-inf")
        self.version = 0
        """Counts the changes that were read."""

    def write_shipped(self) -> None:
        """Lay the shipped files where a person can edit them; one that was edited stays as it is."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in _SHIPPED:
                _lay(self._folder / f"{name}.toml", shipped_text(name))
        except OSError as error:
            log.warning("the shipped profiles could not be written: %s", error)

    def glance(self) -> None:
        """Look, if the last look was more than a second ago: for who asks often."""
        if time.monotonic() - self._looked_at > _GLANCE_S:
            self.look()

    def look(self) -> None:
        """Read what was changed since the last look."""
        self._looked_at = time.monotonic()
        seen = _state(self._folder)
        if seen == self._seen:
            return
        self._seen = seen
        self.version += 1
        self._profiles, self._broken = dict(shipped()), {}
        for name in seen:
            self._read(name)

    @property
    def broken(self) -> Mapping[str, str]:
        """What is wrong with files that are not used, by the file's name."""
        return self._broken

    def listed(self) -> AgentList:
        """All profiles, as the wire shows them."""
        self.look()
        return AgentList(
            agents=[profile.public() for profile in self._profiles.values()], problems=[*self._broken.values()]
        )

    def __getitem__(self, id: str) -> Profile:
        return self._profiles[id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._profiles)

    def __len__(self) -> int:
        return len(self._profiles)

    def _read(self, name: str) -> None:
        assert self._folder is not None
        id = name.removesuffix(".toml")
        try:
            self._profiles[id] = _profile(id, parse(_text(self._folder / name), name))
        except SettingsError as error:
            log.warning("%s", error)
            self._broken[name] = str(error)
            if id in self._profiles:
                problem = f"{error} Until then, the one that is shipped serves."
                self._profiles[id] = replace(self._profiles[id], problem=problem)


@cache
def shipped() -> Mapping[str, Profile]:
    """The profiles that come with Hearth."""
    return {name: _profile(name, parse(shipped_text(name), f"{name}.toml")) for name in _SHIPPED}


def shipped_text(name: str) -> str:
    """The file of a shipped profile."""
    return (resources.files("hearth_backend.agent") / "shipped" / f"{name}.toml").read_text("utf-8")


def _profile(id: str, file: ProfileFile) -> Profile:
    return Profile(
        id=id,
        title=file.title,
        description=file.description,
        instructions=file.instructions,
        tools=file.tools,
        unasked=file.unasked,
        budget=file.budget,
        chat_model=file.models.chat,
        routes=file.route,
    )


def _state(folder: Path | None) -> dict[str, tuple[int, int]]:
    """The usable files, with what changes when they are edited."""
    if folder is None or not folder.is_dir():
        return {}
    files = sorted(path for path in folder.glob("*.toml") if _is_profile(path))
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in files}


def _is_profile(path: Path) -> bool:
    return path.is_file() and NAME.fullmatch(path.stem) is not None and path.stem not in _RESERVED


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()[: LARGEST + 1]
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}.", "Make it readable.") from error
    if len(data) > LARGEST:
        raise SettingsError(f"{path.name} is larger than {LARGEST} bytes.", "Shorten it.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SettingsError(
            f"{path.name}, line {line}: it is no UTF-8 text.", "Save it as UTF-8.", line=line
        ) from error


def _lay(path: Path, text: str) -> None:
    """Write a shipped file where there is none, or one of an older Hearth that nobody touched."""
    stamped = f"{_STAMP}{_digest(text)}: an update of Hearth replaces this file until you change it.\n{text}"
    if path.exists() and not _is_untouched(path.read_text("utf-8", "replace"), text):
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(stamped, "utf-8")
    fresh.chmod(0o600)
    fresh.replace(path)


def _is_untouched(found: str, text: str) -> bool:
    """Whether an older shipped file stands there as it came, and another than this one's."""
    first, _, rest = found.partition("\n")
    stamp = first.removeprefix(_STAMP).partition(":")[0]
    return first.startswith(_STAMP) and stamp == _digest(rest) and rest != text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
