"""Files: read with errors for a person, written whole or not at all, and the writer's lock.

No message names anything but the file that the person named.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from index.errors import BusyError, InputError
from index.refusals import sentence

UNREADABLE = (OSError, EOFError, ValueError, zlib.error)
"""What reading a text file, gzipped or not, may raise."""


def open_text(path: Path) -> TextIO:
    """Open a text file for reading, gzipped if its name ends so."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def unreadable(path: Path, what: str, error: Exception) -> InputError:
    """Return the error of a file that cannot be read as `what`, "a TREC run"."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"There is no {path}.")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{path} is a folder and cannot be read as {what}.")
    if isinstance(error, UnicodeDecodeError):
        reason = "it is not UTF-8 text"
    else:
        # gzip's own errors have no such text, and mean that the file is damaged.
        reason = getattr(error, "strerror", None) or "it is damaged or cut short"
    return InputError(f"{path} cannot be read as {what}: {reason}.")


def read_lines(path: Path, what: str) -> list[str]:
    """Return the lines of a text file; raises InputError."""
    try:
        with open_text(path) as file:
            return file.read().splitlines()
    except UNREADABLE as error:
        raise unreadable(path, what, error) from error


@functools.cache
def word_table(path: Path) -> Mapping[str, Sequence[str]]:
    """Return the words of a table that comes with the program, each with those beside it.

    A line is "word: other, other", or a word alone; one that begins with "#" is a heading.
    """
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            word, _, others = line.partition(":")
            found[word] = [other.strip() for other in others.split(",")] if others else []
    return found


def json_value(line: str, place: str) -> Any:
    """Read one line of JSON; raises InputError that names `place` and the character."""
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        # The error's own line is that of a text of one line, not the file's.
        raise InputError(f"{place} is not JSON: {error.msg}, character {error.pos + 1}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not JSON that can be read: {error}.") from error


@contextmanager
def written_whole(path: Path, *, durable: bool = False) -> Iterator[TextIO]:
    """Open a text file for writing that appears under its name only when it is complete.

    It is gzipped if its name ends so.

    A `durable` one is on the disk, not only on its way there, when this ends. Raises InputError
    where it cannot be written.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        with _opened_for_writing(beside, path.suffix) as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
        if durable:
            sync(path.parent)
    except OSError as error:
        if error.filename not in (None, str(beside)):
            raise
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _opened_for_writing(path: Path, suffix: str) -> TextIO:
    if suffix == ".gz":
        return gzip.open(path, "wt", compresslevel=6, encoding="utf-8")
    return path.open("w", encoding="utf-8")


def unwritable(path: Path, error: OSError) -> InputError:
    """Return the error of a file or folder that cannot be written."""
    reason = OSError(error.errno, error.strerror or str(error))
    return InputError(f"{path} cannot be written: {sentence(reason)}")


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, doing: str) -> Iterator[None]:
    """Hold a lock file, which ends with the process that holds it, and keeps its number.

    Raises BusyError at once where another process has it and is `doing` something: "is building".
    """
    from filelock import lock_descriptor

    with path.open("a+", encoding="utf-8") as file:
        if not lock_descriptor(file.fileno(), blocking=False):
            holder = "unknown"
            # Windows lets nobody read what another process has locked.
            with suppress(OSError):
                file.seek(0)
                holder = file.read().strip() or holder
            raise BusyError(f"Another process (number {holder}) {doing}; wait until it ends.")
        # On a full disk the number may find no room, and what is to be deleted needs none.
        with suppress(OSError):
            file.truncate(0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield


TEMPORARY = "tanya-"


def temporary_prefix() -> str:
    """Return how a temporary folder's name begins: it tells whose it is, if it is left over."""
    return f"{TEMPORARY}{os.getpid()}-"


def link_tree(source: Path, target: Path, copied: Sequence[str] = ()) -> None:
    """Link the files of `source`, but for locks, into `target`; what is written again is copied."""
    target.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.suffix == ".lock":
            continue
        take = shutil.copy2 if path.name in copied else link_or_copy
        take(path, target / path.name)


def link_or_copy(source: Path | str, target: Path | str) -> None:
    """Link a file that is never written again, or copy it where its file system links none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
