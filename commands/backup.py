"""A home's backup: made, put back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import own_version, say, steps, stopped
from index.text import counted

if TYPE_CHECKING:
    from index.backup import Backup


def backup(
    context: typer.Context,
    to: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that is not there yet.")],
) -> None:
    """Back the home up into a new folder, while it is asked, added to and built.

    In it are the archive, conversations, accounts, what the watcher has read, tanya.toml, eval/ and
    the live version; on the same disk the version's files are links. All of it is checked. An
    interrupted backup leaves no DEST.

    Example: tanya backup /mnt/cadangan/2026-03-01
    """
    from index import backup as backups

    now = dt.datetime.now(dt.UTC)
    with stopped("Stopped. There is no backup."), steps("Backing up") as show:
        made = backups.make(context.obj, to, now, own_version(), show)
    say(f"{to}: {_held(made)}")
    _tell_left_out(made)


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `tanya backup` made.")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Also over what is there, which is kept in replaced-TIME/."),
    ] = False,
) -> None:
    """Put a backup back into the home, once every file of it was checked.

    Example: tanya --home /var/lib/tanya restore /mnt/cadangan/2026-03-01 --force
    """
    from index import backup as backups

    message = "Stopped. Run it again with --force; what was there is in replaced-TIME/ of the home."
    with stopped(message), steps("Restoring") as show:
        now = dt.datetime.now(dt.UTC)
        done = backups.restore(context.obj, folder, now, show, force=force)
    made = f", made {done.backup.made[:19]}" if done.backup.made else ""
    say(f"restored {_held(done.backup)}{made}")
    if done.replaced:
        say(f"What stood there is in {done.replaced}: delete it once all is well.")
    if not done.backup.version:
        typer.echo("Next: tanya build")
    _tell_left_out(done.backup)


def _held(made: Backup) -> str:
    version = f"version {made.version}" if made.version else "no version"
    return f"{counted(made.articles, 'article')}, {version}"


def _tell_left_out(made: Backup) -> None:
    for told in made.left_out:
        say(f"left out: {told}", err=True)
    if made.left_out:
        raise typer.Exit(1)
