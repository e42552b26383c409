"""What the commands share: a home, dates, progress bars, lines that fit a terminal."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from index import settings
from index.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from index.archive import Archive
    from index.versions import Versions


@contextmanager
def open_archive(home: Path, *, must_exist: bool = False) -> Iterator[Archive]:
    """Open the home's archive; raises InputError if it must be there and is not."""
    from index.archive import FILE_NAME, Archive

    if must_exist and not (home / FILE_NAME).exists():
        raise InputError(f"There is no archive in {str(home)!r} yet: run `tanya add PATH`.")
    with Archive.open(home / FILE_NAME) as archive:
        yield archive


def open_versions(home: Path) -> Versions:
    """Return the home's versions."""
    from index.versions import Versions

    return Versions.of(home, settings.load(home).engine)


def period(after: str, before: str) -> tuple[dt.date | None, dt.date | None]:
    """Return the dates of --after and --before, None where one is empty."""
    begin, end = _day(after, "--after"), _day(before, "--before")
    if begin and end and begin > end:
        raise typer.BadParameter(f"--after {after} is later than --before {before}.")
    return begin, end


def _day(value: str, option: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except ValueError:
        raise typer.BadParameter(f"{option} is {value!r} but must be a date YYYY-MM-DD.") from None


def shown(value: str) -> str:
    """Return archived text on one line without control characters, safe for a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def wrapped(line: str, indent: int) -> str:
    """Return a line cut at blanks to the terminal's width, 20 to 100; indented from the second.

    Where nobody looks on, as in a pipe, it stays whole.
    """
    if not sys.stdout.isatty():
        return line
    width = max(20, min(100, shutil.get_terminal_size().columns))
    blanks = " " * indent
    # A URL or a long number is never broken, so that it can be clicked or copied.
    return textwrap.fill(
        line, width, subsequent_indent=blanks, break_long_words=False, break_on_hyphens=False
    )


def say(line: str) -> None:
    """Print a line, wrapped; what follows the first line stands under its beginning."""
    line = line.rstrip()
    typer.echo(wrapped(line, len(line) - len(line.lstrip())))


def bar(label: str) -> Progress:
    """Return a progress bar on standard error with the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    return Bar(
        TextColumn(label),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% {task.description}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
