"""Takes files that are dropped on the operator's page into a folder of the home, to be added.

    .uploads/ID/.lock              held while the upload lasts; if nobody does, it was interrupted
    .uploads/ID/files/000012/NAME  a file, by its number on the page, under a safe name

The page first names what it has; the server says which it takes, and then gets the bytes of each
by its number, in a request of its own.
"""

from __future__ import annotations

import errno
import math
import secrets
import shutil
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from index.errors import BusyError, InputError
from index.files import locked
from index.reading.files import passed_over
from index.settings import UploadSettings
from page import texts
from web.access import Sent, at_least, of_our_page
from web.who import who
from web.work import Task, Worker

FOLDER = ".uploads"

# An upload of which nothing was heard for so many seconds is given up.
_IDLE = 600.0
_LONGEST_NAME = 150
_MEGABYTE = 1_000_000


class Wanted(NamedTuple):
    """A file that is to come: where it goes, and how many bytes it has."""

    path: Path
    size: int


@dataclass(slots=True)
class Upload:
    """An upload under way; `wanted` are its files by number, `heard` is when one last came.

    Of one whose files are being added, nothing is to be heard: that is infinity.
    """

    folder: Path
    wanted: dict[int, Wanted]
    held: ExitStack
    heard: float
    writing: set[int] = field(default_factory=set)


class Uploads:
    """The uploads of one home; routes call it from many threads."""

    def __init__(
        self, home: Path, bounds: UploadSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = home / FOLDER
        self._bounds, self._clock = bounds, clock
        self._lock = threading.Lock()
        self._open: dict[str, Upload] = {}
        self.sweep()

    def begin(self, files: Sequence[tuple[str, int]]) -> tuple[str, list[int], Counter[str]]:
        """Begin an upload of files, as (path, bytes): return its id, and which are wanted.

        Also returned is what is passed over, as of a folder by `tanya add`. Raises InputError for
        more than the settings allow of all uploads under way.
        """
        self.sweep()
        name = secrets.token_hex(16)
        folder = self._folder / name
        passed: Counter[str] = Counter()
        wanted: dict[int, Wanted] = {}
        for number, (path, size) in enumerate(files):
            parts = safe_parts(path)
            reason = passed_over(parts)
            if reason is None:
                wanted[number] = Wanted(folder / "files" / f"{number:06d}" / parts[-1], size)
            elif reason:
                passed[reason] += 1
        upload = Upload(folder, wanted, ExitStack(), self._clock())
        with self._lock:
            self._check_bounds([*self._open.values(), upload])
            if wanted:
                folder.mkdir(parents=True)
                upload.held.enter_context(locked(folder / ".lock", "is taking this upload"))
                self._open[name] = upload
        return name, list(wanted), passed

    def _check_bounds(self, uploads: Sequence[Upload]) -> None:
        """Raise InputError where uploads bring more than the settings allow."""
        coming = [each for upload in uploads for each in upload.wanted.values()]
        megabytes = math.ceil(sum(each.size for each in coming) / _MEGABYTE)
        for found, most, words in (
            (len(coming), self._bounds.max_files, texts.TOO_MANY_FILES),
            (megabytes, self._bounds.max_megabytes, texts.TOO_MANY_BYTES),
        ):
            if found > most:
                raise InputError(words.format(*map(texts.number_words, (found, most))))

    async def write(self, name: str, number: int, chunks: AsyncIterator[bytes]) -> None:
        """Write a file as it comes; what stops it leaves none. Raises InputError and OSError.

        Raises KeyError for an upload that is not under way, or a file that it does not want.
        """
        with self._lock:
            upload = self._open[name]
            path, size = upload.wanted[number]
            if number in upload.writing or upload.heard == math.inf:
                raise InputError(texts.FILE_TWICE)
            upload.writing.add(number)
        written = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                async for chunk in chunks:
                    written += len(chunk)
                    upload.heard = self._clock()
                    if written > size:
                        break
                    await run_in_threadpool(file.write, chunk)
            if written != size:
                raise InputError(texts.FILE_OF_ANOTHER_SIZE.format(path.name))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            upload.writing.discard(number)

    def files(self, name: str) -> Path:
        """Return the folder of an upload's files, to be read; it stays until it is cancelled.

        Raises KeyError as `write`, and InputError while a file still comes.
        """
        with self._lock:
            upload = self._open[name]
            if upload.writing:
                raise InputError(texts.STILL_COMING)
            upload.heard = math.inf
        (upload.folder / "files").mkdir(exist_ok=True)
        return upload.folder / "files"

    def release(self, name: str) -> None:
        """Let an upload wait again, for its files could not be read yet."""
        with self._lock:
            self._open[name].heard = self._clock()

    def cancel(self, name: str) -> None:
        """Delete an upload, if it is still there."""
        with self._lock:
            upload = self._open.pop(name, None)
        if upload is not None:
            shutil.rmtree(upload.folder, ignore_errors=True)
            upload.held.close()

    def sweep(self) -> None:
        """Delete the uploads that were left: of this server, and of any that ended."""
        now = self._clock()
        with self._lock:
            left = [name for name, each in self._open.items() if now - each.heard > _IDLE]
        for name in left:
            self.cancel(name)
        for folder in self._folder.glob("*/"):
            with suppress(BusyError, OSError), locked(folder / ".lock", "is taking this upload"):
                shutil.rmtree(folder)


def safe_parts(path: str) -> list[str]:
    """Return the parts of a path that a browser names, each a name that any disk takes.

    None is empty, "." or "..", or holds a separator or a control character.
    """
    parts = []
    for part in path.replace("\\", "/").split("/"):
        normal = unicodedata.normalize("NFC", part)
        name = "".join(c if c.isprintable() else "_" for c in normal).strip(" ")
        if name.strip("."):
            parts.append(_shortened(name))
    return parts or ["_"]


def _shortened(name: str) -> str:
    """Return a name of no more bytes than file systems take, with its ending."""
    data = name.encode("utf-8", "replace")
    if len(data) > _LONGEST_NAME:
        data = data[: _LONGEST_NAME - 30] + data[-30:]
    return data.decode("utf-8", "ignore")


# Routes ------------------------------------------------------------------------------------------


def router(home: Path, bounds: UploadSettings, worker: Worker) -> APIRouter:
    """Return the routes that take an upload, for editors; only operators may have it built."""
    uploads = Uploads(home, bounds)
    guards = [Depends(at_least("editor")), Depends(of_our_page)]
    routes = APIRouter(prefix="/page/upload", dependencies=guards)

    @routes.post("/begin")
    def begin(sent: Sent) -> dict[str, Any]:
        with _explained():
            name, wanted, passed = uploads.begin(_named(sent))
        return {"upload": name, "wanted": wanted, "passed": passed.most_common(20)}

    @routes.post("/{upload}/add")
    def add(upload: str, request: Request, sent: Sent) -> dict[str, Any]:
        if sent.get("build") and not who(request).may("operator"):
            raise HTTPException(403, texts.OPERATORS_ONLY)
        publisher = " ".join(str(sent.get("publisher") or "").split())[:_LONGEST_NAME]
        with _explained():
            task = Task(home, uploads.files(upload), publisher, build=bool(sent.get("build")))
            try:
                return {"work": worker.start(task, after=lambda: uploads.cancel(upload)).number}
            except BusyError:
                uploads.release(upload)
                raise

    @routes.post("/{upload}/cancel")
    def cancel(upload: str, sent: Sent) -> dict[str, Any]:
        uploads.cancel(upload)
        return {"done": True}

    @routes.post("/{upload}/{number}")
    async def put(upload: str, number: int, request: Request) -> dict[str, Any]:
        with _explained():
            await uploads.write(upload, number, request.stream())
        return {"taken": number}

    return routes


def _named(sent: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return the files that a page names, as (path, bytes); raises HTTPException 422."""
    try:
        return [(str(each["path"]), max(int(each["size"]), 0)) for each in sent["files"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise HTTPException(422, texts.REQUEST_UNREADABLE) from None


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what an upload raises into an answer with words for the person."""
    try:
        yield
    except (KeyError, ClientDisconnect):
        raise HTTPException(404, texts.UPLOAD_GONE) from None
    except BusyError as error:
        raise HTTPException(409, texts.WORK_BUSY) from error
    except InputError as error:
        raise HTTPException(400, str(error)) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        words = texts.DISK_FULL if full else texts.DISK_FAILS
        raise HTTPException(507 if full else 500, words) from error
