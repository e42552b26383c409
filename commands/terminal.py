"""What the commands share: options, filters, progress bars, lines that fit a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import tomllib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.errors import InputError
from index.records import Filter
from index.text import seen_line

if TYPE_CHECKING:
    from rich.progress import Progress

After = Annotated[
    str, typer.Option(metavar="YYYY-MM-DD", help="Only articles published then or later.")
]
Before = Annotated[
    str, typer.Option(metavar="YYYY-MM-DD", help="Only articles published then or earlier.")
]
Publisher = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only this publisher; may be repeated."),
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def chosen_filter(
    after: str,
    before: str,
    publishers: list[str] | None,
    known_publishers: Callable[[], Collection[str]],
    writers: tuple[str, ...] = (),
) -> Filter:
    """Return the filter that a command's options say, with publishers as they are spelled here.

    Raises BadParameter for a date that is none, InputError for a publisher that is not known.
    """
    from qa.interface import published
    from qa.question.sources import resolve_publishers

    names = resolve_publishers(publishers, known_publishers()) if publishers else ()
    try:
        days = published(after, before, "--")
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    return replace(days, publishers=names, authors=writers)


@contextmanager
def usage(option: str) -> Iterator[None]:
    """Tell an InputError that is raised here as wrong usage of an option."""
    try:
        yield
    except InputError as error:
        raise typer.BadParameter(f"{option}: {error}") from error


@contextmanager
def stopped(message: str) -> Iterator[None]:
    """Leave with status 1 and a message when Ctrl-C comes."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(message, err=True)
        raise typer.Exit(1) from None


def shown(value: str) -> str:
    """Return archived text on one line without control characters, safe for a terminal."""
    return seen_line(value)


def echo_json(value: object) -> None:
    """Print a value as a line of JSON, with what would steer a terminal as escapes."""
    line = json.dumps(value, ensure_ascii=False, default=str)
    if not line.isprintable():
        line = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
    typer.echo(line)


def say(line: str, *, hang: int | None = None, err: bool = False) -> None:
    """Print a line that is safe for a terminal, cut at blanks to its width, 20 to 100.

    What follows the first line stands `hang` blanks in; without a number, under its beginning.
    Where nobody looks on, as in a pipe, it stays whole.
    """
    indent = len(line) - len(line.lstrip())
    line = " " * indent + shown(line)
    if (sys.stderr if err else sys.stdout).isatty():
        # A URL or a long number is never broken, so that it can be clicked or copied.
        line = textwrap.fill(
            line,
            max(20, min(100, shutil.get_terminal_size().columns)),
            subsequent_indent=" " * (indent if hang is None else hang),
            break_long_words=False,
            break_on_hyphens=False,
        )
    typer.echo(line, err=err)


def own_version() -> str:
    """Return the version of the checkout that runs, else of the installed package."""
    from importlib.metadata import version

    beside = Path(__file__).parents[1] / "pyproject.toml"
    if beside.is_file():
        project = tomllib.loads(beside.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == "tanya-arsip":
            return str(project["version"])
    return version("tanya-arsip")


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


@contextmanager
def steps(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar; what is yielded is called with what goes on, the work done, and all of it."""
    with bar(label) as progress:
        task = progress.add_task("", total=None)

        def show(what: str, done: int, total: int) -> None:
            progress.update(task, description=what, completed=done, total=total)

        yield show
