"""Fetches one model file from the hub: `python -I -m hearth_backend.engine.hub_worker`, told on stdin what to fetch.

A process of its own: the library reads its environment when it is imported, its threads cannot be stopped, and
nothing of it shall weigh on the backend. It ends when stdin closes. Each line it writes is a JSON object.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

from hearth_backend.engine.gguf import read_facts
from hearth_backend.engine.hub_source import RemoteFile, Source, choose
from hearth_shared.errors import BadModelFile, DownloadFailed, Forbidden, HearthError, NotFound, StorageFull

_SAID_EVERY_S = 0.25
_BLOCK = 1 << 20
_CHUNK = 1 << 18  # the library takes ten megabytes at a time: so much would be lost with a line that breaks
_AGAIN = "Pull it again: it goes on where it stopped."
_LIMIT_S = 30.0


def main() -> None:
    """One download, then the end."""
    asked: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        Fetch(asked).run()
    except HearthError as error:
        say("failed", code=error.code, detail=error.detail, fix=error.fix)
    except OSError as error:
        fault = _os_fault(error, Path(asked["folder"]))
        say("failed", code=fault.code, detail=fault.detail, fix=fault.fix)


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def say(kind: str, **values: Any) -> None:
    """A line for the backend."""
    sys.stdout.write(json.dumps({"kind": kind, **values}) + "\n")
    sys.stdout.flush()


class Fetch:
    """What is asked: `repo`, `wanted`, `folder`, `reserve` bytes to leave on the disk, and `token` or nothing."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._source = Source(asked["repo"], asked["wanted"])
        self._folder = Path(asked["folder"])
        self._reserve: int = asked["reserve"]
        self._token: str | bool = asked.get("token") or False

    def run(self) -> None:
        """Look, make sure there is room, fetch, check. The files stay in the folder, for the backend to move."""
        revision, licence, files = self._look()
        total = sum(file.size for file in files)
        say("found", files=[file.local_name for file in files], total=total, licence=licence, done=self._here(files))
        self._check_room(files)
        progress = _Progress(self._here(files))
        for file in files:
            with self._translated():
                self._fetch(file, revision, progress)
        say("checking")
        for file in files:
            self._check(file)
        say("done")

    def _look(self) -> tuple[str, str, tuple[RemoteFile, ...]]:
        """The commit, the licence and the files. What a repository says of itself is checked before it is used."""
        from huggingface_hub import HfApi  # 0.2 s that a wrong request does not pay

        with self._translated():
            info = HfApi(token=self._token).model_info(self._source.repo, files_metadata=True, timeout=_LIMIT_S)
        found = [
            RemoteFile(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else "") for one in info.siblings or ()
        ]
        licence = next((tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")), "")
        return info.sha or "main", licence[:64], choose(self._source, found)

    def _here(self, files: Sequence[RemoteFile]) -> int:
        return sum(path.stat().st_size for file in files if (path := self._path(file)).exists())

    def _path(self, file: RemoteFile) -> Path:
        return self._folder / file.local_name

    def _check_room(self, files: Sequence[RemoteFile]) -> None:
        wanted = sum(file.size for file in files) - self._here(files)
        free = shutil.disk_usage(self._folder).free
        if wanted + self._reserve > free:
            raise StorageFull(
                f"{self._source} needs {_gb(wanted)} more on the disk, and {_gb(max(0, free - self._reserve))} can be "
                f"used in {self._folder.parent.parent}.",
                "Free some room (`hearth models rm` removes a model), or choose a smaller file.",
            )

    def _fetch(self, file: RemoteFile, revision: str, progress: "_Progress") -> None:
        from huggingface_hub import constants, file_download, hf_hub_url

        constants.DOWNLOAD_CHUNK_SIZE = _CHUNK
        library: Any = file_download  # its types are known in part

        path = self._path(file)
        path.touch()
        with path.open("r+b") as out:
            here = out.seek(0, os.SEEK_END)
            if here > file.size:  # not of this version of the file
                out.truncate(0)
                progress.moved(-here)
                here = out.seek(0)
            headers = {**library.build_hf_headers(token=self._token), "Accept-Encoding": "identity"}
            url = hf_hub_url(self._source.repo, file.name, revision=revision)
            bar: Any = progress.bar()
            library.http_get(url, out, resume_size=here, headers=headers, expected_size=file.size, tqdm_class=bar)
            out.flush()
            os.fsync(out.fileno())

    def _check(self, file: RemoteFile) -> None:
        """Raises what is wrong with it; a file that is not what it should be goes, or every resume would find it."""
        path = self._path(file)
        with path.open("rb") as data:
            wrong = bool(file.sha256) and _sha256(data) != file.sha256
        if wrong:
            path.unlink()
            raise DownloadFailed(
                f"{file.local_name} is not what {self._source.repo} says it should be (its SHA-256 is another).",
                "What came was removed. Pull it again; if it comes wrong once more, something on the way changes it.",
            )
        try:
            read_facts(path)
        except BadModelFile as error:
            path.unlink()
            raise BadModelFile(error.detail, "What came was removed. Choose another file of the hub.") from error

    @contextlib.contextmanager
    def _translated(self) -> Generator[None]:
        """The library's failures, each as one sentence with its fix."""
        import httpx2
        from huggingface_hub import errors

        repo = self._source.repo
        try:
            yield
        except errors.GatedRepoError as error:
            raise Forbidden(
                f"{repo} is given only to people who accepted its terms.",
                f"Accept them on the hub's page of {repo}, then `hearth keys set huggingface` with a token of yours.",
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise NotFound(
                f"The hub has no repository {repo}, or it is not for everybody.",
                "Look at its spelling; for a private one, `hearth keys set huggingface` with a token that may read it.",
            ) from error
        except (errors.EntryNotFoundError, errors.RevisionNotFoundError) as error:
            raise NotFound(f"{repo} has changed while it was being fetched.", "Pull it again.") from error
        except errors.HfHubHTTPError as error:
            raise _refused(repo, error.response.status_code) from error
        except (httpx2.HTTPError, errors.OfflineModeIsEnabled) as error:
            raise DownloadFailed(
                f"The hub cannot be reached ({type(error).__name__}); models that are here still answer.",
                f"Look at the network. {_AGAIN}",
            ) from error
        except (errors.HFValidationError, ValueError, TypeError, KeyError) as error:
            raise DownloadFailed(
                f"The hub's answer about {repo} cannot be understood.", "Look at `models.hub_url` and HF_ENDPOINT."
            ) from error


class _Progress:
    """Counts what came, and says a few times a second how much of it is in the file."""

    def __init__(self, done: int) -> None:
        self._done: int = done
        self._said: int = done
        self._said_at = 0.0

    def moved(self, count: int) -> None:
        """The library tells of a piece before it writes it: what came before this one is written."""
        now = time.monotonic()
        if self._done != self._said and now - self._said_at >= _SAID_EVERY_S:
            self._said_at, self._said = now, self._done
            say("progress", done=self._done)
        self._done += count

    def bar(self) -> type:
        """What the library takes for a progress bar of its own."""
        moved = self.moved

        class Bar:
            """A progress bar that shows nothing."""

            def __init__(self, *_: object, **__: object) -> None:
                pass

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def update(self, count: float = 1) -> None:
                moved(int(count))

            def close(self) -> None:
                pass

        return Bar


def _refused(repo: str, status: int) -> HearthError:
    if status in (401, 403):
        return Forbidden(
            f"The hub refuses {repo} (status {status}).",
            "Give it a token of yours that may read it: `hearth keys set huggingface`.",
        )
    if status == 404:
        return NotFound(f"The hub has no such file in {repo}.", "Look at its spelling.")
    return DownloadFailed(f"The hub answered with status {status}.", f"Wait a while. {_AGAIN}")


def _os_fault(error: OSError, folder: Path) -> HearthError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(
            f"The disk is full; what came is kept in {folder.parent}.",
            f"Free some room (`hearth models rm` removes a model). {_AGAIN}",
        )
    if "Consistency check failed" in str(error):
        return DownloadFailed("The transfer ended before its end.", _AGAIN)
    return DownloadFailed(f"The download stopped: {error.strerror or type(error).__name__}.", _AGAIN)


def _sha256(data: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := data.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
    os._exit(0)  # a thread still reads stdin, which the interpreter would wait for
