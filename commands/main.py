"""The `tanya` command as a whole: its parts, its home directory, its exit status."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from commands import eval as evaluation
from commands import index, qa
from commands.backup import backup, restore
from commands.feedback import feedback
from commands.log import log
from commands.terminal import own_version
from commands.users import users
from index import logs, settings
from index.errors import SettingsError, TanyaError
from index.refusals import sentence
from index.text import seen_line

app = typer.Typer(
    help="Ask a news archive a question in Indonesian; every sentence of the answer is cited.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    *(index.add, index.watch, index.remove, index.export, index.build),
    *(index.status, index.rollback, index.prune, index.doctor, backup, restore),
    *(qa.ask, qa.search, qa.serve, qa.mcp, feedback, log),
):
    app.command()(_command)
app.add_typer(evaluation.measures, name="eval")
app.add_typer(users, name="user")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tanya {own_version()}")
        raise typer.Exit(0)


@app.callback()
def home_option(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Directory with archive.db, versions/ and tanya.toml "
            "(else TANYA_HOME, else ./tanya-data)."
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    """Remember the home directory for the command."""
    context.obj = settings.resolve_home(home)


def run(command: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status. No traceback ever reaches a person."""
    try:
        outcome = command(args=arguments, standalone_mode=False)
        return outcome if isinstance(outcome, int) else 0
    except TanyaError as error:
        return _fail(str(error), 1)
    except typer.Exit as error:
        return error.exit_code
    except typer.exceptions.TyperException as error:
        message = error.format_message()
        if "\n" in message:
            # A command without arguments: this is its whole help.
            typer.echo(message, err=True)
            return error.exit_code
        return _fail(message, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Stopped.", 1)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except sqlite3.Error as error:
        return _fail(sentence(error, _home_of(arguments or sys.argv[1:])), 1)
    except OSError as error:
        return _fail(sentence(error), 1)
    except Exception as error:
        logging.getLogger("tanya").debug("unexpected error", exc_info=True)
        return _fail(
            f"Unexpected error: {type(error).__name__}: {error}. "
            "Run with TANYA_DEBUG=1 for the details to report.",
            1,
        )


def _home_of(arguments: Sequence[str]) -> Path | None:
    given = Path(arguments[1]) if arguments[:1] == ["--home"] else None
    with suppress(SettingsError):
        return settings.resolve_home(given)
    return None


def _fail(message: str, status_code: int) -> int:
    typer.echo(f"tanya: {seen_line(message)}", err=True)
    return status_code


def home_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with `--home DIR` before the command; people also put it behind."""
    ours: list[str] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            others.extend([argument, *rest])
        elif argument == "--home":
            directory = next(rest, None)
            if directory is None:
                return ["--home"]
            ours.extend([argument, directory])
        elif argument.startswith("--home="):
            ours.append(argument)
        else:
            others.append(argument)
    return ours + others


_SERVING = {"serve", "mcp", "watch"}
"""Commands whose standard error is a log."""


def _only_ours() -> None:
    """Leave standard error to this program: libraries not in Python print their panics there.

    What they raise is told all the same. What Python writes goes where it went.
    """
    sys.stderr.flush()
    ours = os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors)
    ours.reconfigure(line_buffering=True)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    sys.stderr = ours


def main() -> None:
    """Run `tanya` and leave with its exit status."""
    arguments = home_first(sys.argv[1:])
    if os.environ.get(logs.DEBUG):
        logs.configure(settings.LogSettings())
    elif _SERVING.isdisjoint(arguments):
        _only_ours()
    sys.exit(run(app, arguments))


if __name__ == "__main__":
    main()
