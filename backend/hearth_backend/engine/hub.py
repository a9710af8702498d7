"""Model files from the hub: each download in a child, known by events, resumed where it stopped.

What is under way lies in `models/.downloads/<id>/`: what came so far, and `download.json`, which lets the next backend
go on. A file moves into the models folder when its digest and its header are right, and not before.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from hearth_backend.engine import hub_child, hub_source
from hearth_backend.engine.hub_source import Source
from hearth_backend.engine.rate import Rate
from hearth_shared.errors import BadModelFile, Conflict, DownloadFailed, Forbidden, HearthError, NotFound, StorageFull
from hearth_shared.protocol.models import Download

log = logging.getLogger(__name__)

Tell = Callable[[Mapping[str, Any]], Awaitable[int]]
Token = Callable[[], Awaitable[str | None]]
RESERVE: Final = 256_000_000
_OVER: Final = ("done", "failed", "cancelled")
_EVENT_EVERY_S: Final = 1.0
_FAILURES: Final = (BadModelFile, DownloadFailed, Forbidden, NotFound, StorageFull)
_AGAIN: Final = "Pull it again: it goes on where it stopped."


class Hub:
    """All downloads of this backend. `tell` stores an event and gives its number; `token` is the person's, if any."""

    def __init__(
        self,
        models: Path,
        tell: Tell,
        token: Token,
        *,
        endpoint: str = "",
        reserve: int = RESERVE,
        argv: Sequence[str] = hub_child.ARGV,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._under_way = models / ".downloads"
        self._tell = tell
        self._token = token
        self._endpoint = endpoint
        self._reserve = reserve
        self._argv = argv
        self._clock = clock
        self._known: dict[str, Download] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        """Go on with what was under way when the backend ended; what had failed is only known."""
        for download in await asyncio.to_thread(_stored, self._under_way):
            self._known[download.id] = download
            if download.state not in _OVER:
                self._start(download)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Downloads under way are interrupted, not cancelled."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether something is under way: then the backend stays."""
        return bool(self._tasks)

    def all(self) -> list[Download]:
        """Those known, the newest last."""
        return list(self._known.values())

    def get(self, id: str) -> Download:
        """Raises NotFound."""
        if id not in self._known:
            raise NotFound(f"There is no download {id!r}.", "`hearth models list` shows those there are.")
        return self._known[id]

    async def pull(self, source: str) -> Download:
        """Begin it, or join it when it is under way. Raises BadRequest for what is no source, StorageFull."""
        wanted = hub_source.parse(source)
        id = _id(wanted)
        if (known := self._known.get(id)) is None or known.state in _OVER:
            if (task := self._tasks.get(id)) is not None:  # it has told its end, and is closing
                await asyncio.wait([task])
            await asyncio.to_thread(self._folder(id).mkdir, parents=True, exist_ok=True)
            self._start(Download(id=id, source=str(wanted), state="looking"))
            await self._changed(id)
        return self._known[id]

    async def cancel(self, id: str) -> Download:
        """Stop it and remove what came; one that had failed is forgotten. Raises NotFound, Conflict when it is done."""
        download = self.get(id)
        if download.state == "done":
            raise Conflict(f"{download.file} is here already.", f"`hearth models rm {download.model}` removes it.")
        if (task := self._tasks.get(id)) is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._known[id].state == "done":  # it was faster
            return self._known[id]
        await asyncio.to_thread(shutil.rmtree, self._folder(id), True)
        return await self._changed(id, state="cancelled", detail="It was stopped, and what had come was removed.")

    # -- one download

    def _folder(self, id: str) -> Path:
        return self._under_way / id

    def _start(self, download: Download) -> None:
        self._known.pop(download.id, None)
        self._known[download.id] = download
        task = asyncio.create_task(self._run(download.id), name=f"download-{download.id}")
        self._tasks[download.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(download.id))

    async def _run(self, id: str) -> None:
        try:
            await self._fetch(id)
        except HearthError as error:
            await self._failed(id, error)
        except OSError as error:
            fix = f"Look at {self._models}. {_AGAIN}"
            await self._failed(id, DownloadFailed(f"The download stopped: {error.strerror or error}.", fix))
        except Exception as error:  # the top of a task
            log.exception("download %s", id)
            await self._failed(id, DownloadFailed(f"A fault of Hearth's own: {type(error).__name__}.", _AGAIN))

    async def _failed(self, id: str, error: HearthError) -> None:
        log.info("download %s: %s", id, error.detail)
        with contextlib.suppress(HearthError):  # the disk may be full: then memory knows it, and the log
            await self._changed(
                id, state="failed", code=error.code, detail=error.detail, fix=error.fix, rate=0.0, left_s=None
            )

    async def _fetch(self, id: str) -> None:
        source = hub_source.parse(self._known[id].source)
        asked = {"repo": source.repo, "wanted": source.wanted, "folder": str(self._folder(id))}
        asked |= {"reserve": self._reserve, "token": await self._token()}
        rate, files, told_at, whole = Rate(), list[str](), 0.0, False
        async with contextlib.aclosing(hub_child.said(asked, self._endpoint, self._argv)) as lines:
            async for line in lines:
                match line["kind"]:
                    case "found":
                        files, total, done = line["files"], line["total"], line["done"]
                        rate.add(self._clock(), done)
                        await self._changed(
                            id, state="fetching", file=files[0], total=total, done=done, licence=line["licence"]
                        )
                    case "progress":
                        rate.add(self._clock(), line["done"])
                        self._known[id] = _moved(self._known[id], line["done"], rate)
                        if self._clock() - told_at >= _EVENT_EVERY_S:
                            told_at = self._clock()
                            await self._changed(id)
                    case "checking":
                        total = self._known[id].total
                        await self._changed(id, state="checking", done=total, rate=0.0, left_s=None)
                    case "failed":
                        raise _failure(line)
                    case _:
                        whole = True
        if whole:  # only now: the child is gone
            return await self._arrived(id, files)
        raise DownloadFailed("The download's process ended before its time.", _AGAIN)

    async def _arrived(self, id: str, files: Sequence[str]) -> None:
        await asyncio.to_thread(_move, self._folder(id), files, self._models)
        await self._changed(id, state="done", model=_model_of(files[0]), detail=f"{files[0]} is here.")

    async def _changed(self, id: str, **values: Any) -> Download:
        """Store what it is now, and tell."""
        download = self._known[id] = self._known[id].model_copy(update=values)
        if download.state not in ("done", "cancelled"):
            await asyncio.to_thread(_store, self._folder(id), download)
        seq = await self._tell({"kind": "model", **download.model_dump(exclude={"seq"})})
        self._known[id] = self._known[id].model_copy(update={"seq": seq})
        return self._known[id]


def _id(source: Source) -> str:
    """The same for the same source: so the next pull finds what is there of it."""
    return "dl_" + hashlib.sha256(str(source).encode()).hexdigest()[:10]


def _moved(download: Download, done: int, rate: Rate) -> Download:
    left = rate.left(download.total)
    return download.model_copy(update={"done": done, "rate": round(rate.value, 1), "left_s": left and round(left, 1)})


def _failure(line: Mapping[str, Any]) -> HearthError:
    from_code = next((kind for kind in _FAILURES if kind.code == line["code"]), DownloadFailed)
    return from_code(line["detail"], line["fix"])


def _store(folder: Path, download: Download) -> None:
    """Whole or not at all. On a full disk it stays as it was: what it is for is to go on after the next start."""
    draft = folder / "download.json.part"
    with contextlib.suppress(OSError):
        draft.write_text(download.model_dump_json(), "utf-8")
        draft.replace(folder / "download.json")


def _stored(folder: Path) -> list[Download]:
    found: list[Download] = []
    for path in sorted(folder.glob("*/download.json")):
        try:
            download = Download.model_validate(json.loads(path.read_bytes()))
            hub_source.parse(download.source)
        except (OSError, ValueError, HearthError):
            log.info("%s cannot be read; its download is forgotten", path)
            continue
        if download.id == path.parent.name:
            found.append(download)
    return found


def _move(folder: Path, files: Sequence[str], models: Path) -> None:
    """Into the models folder, the first part last: a model is there when all of it is. Raises Conflict."""
    for name in files:
        if (models / name).exists():
            raise Conflict(
                f"There is already a file {name} in the models folder.",
                "Remove or rename it (`hearth models rm` removes), then pull again: nothing is fetched twice.",
            )
    for name in reversed(files):
        os.replace(folder / name, models / name)
    shutil.rmtree(folder, ignore_errors=True)


def _model_of(name: str) -> str:
    return hub_source.without_shard(name).removesuffix(".gguf")
