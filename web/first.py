"""What a newcomer is told: how to call `tanya` here, and how the sample goes out again."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from index.archive import FILE_NAME
from index.errors import TanyaError
from index.exported import ids_in
from index.home import open_archive
from index.settings import DEFAULT_HOME
from index.sqlite import is_writable

logger = logging.getLogger("tanya.web")

SAMPLE = Path(__file__).parents[1] / "sample" / "ids.txt"
"""The ids of the sample's articles; it is there in a checkout, and not in a wheel."""


def command(home: Path) -> str:
    """Return how `tanya` is called for a home in another terminal that stands in this folder."""
    script = Path(sys.executable).with_name("tanya")
    found = shutil.which("tanya")
    if found and script.exists() and Path(found).samefile(script):
        called = "tanya"
    elif script.exists():
        called = shlex.quote(_from_here(script))
    else:
        called = f"{shlex.quote(sys.executable)} -m commands.main"
    return called if home == Path(DEFAULT_HOME) else f"{called} --home {shlex.quote(str(home))}"


def _from_here(path: Path) -> str:
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)


def holds(home: Path) -> tuple[int, str]:
    """Return how many articles the archive has, and the file of the sample's ids if they are those.

    The file is named for a command that is typed here, "" where there are others. Nothing depends
    on this, so where the archive cannot be read, it is said to hold something.
    """
    if not (home / FILE_NAME).exists():
        return 0, ""
    try:
        ids = ids_in(SAMPLE) if SAMPLE.is_file() else []
        with open_archive(home) as archive:
            articles = archive.counts(0).articles
            only = 0 < articles <= len(ids) and len(archive.present(ids)) == articles
    except (TanyaError, OSError, sqlite3.Error) as error:
        logger.warning("the archive cannot be looked at: %s", error)
        return 1, ""
    return articles, shlex.quote(_from_here(SAMPLE)) if only else ""


def lines(home: Path) -> Iterator[str]:
    """Yield what `tanya serve` says of how to go on, below its address."""
    tanya = command(home)
    yield "Add your articles on its page /pengelola, or in a second terminal:"
    yield f"    {tanya} add FOLDER"
    yield f"    {tanya} build"
    _, ids = holds(home)
    if ids:
        yield "What is in it now is the sample, which goes out with:"
        yield f"    {tanya} remove --from-file {ids}"
    if home.exists() and not is_writable(home / FILE_NAME):
        yield "The home is read-only: conversations are kept in memory until the chat stops."
    yield "Ctrl-C stops the chat; what was added stays."
