"""The audit log in the terminal: who asked and did what, when."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from commands.terminal import AsJson, say, usage


def log(
    context: typer.Context,
    user: Annotated[str, typer.Option(metavar="NAME", help="Only of this user.")] = "",
    since: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Only on that day, in UTC, or later.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show who asked and did what, when, the oldest first; [log] in tanya.toml says what is kept.

    Example: tanya log --since 2026-05-01 --user sari
    """
    from qa.interface import published
    from web import audit

    with usage("--since"):
        day = published(since, "").after
    for row in audit.rows(context.obj):
        if user and row.get("name") != user:
            continue
        if day and str(row["time"])[:10] < day.isoformat():
            continue
        if as_json:
            typer.echo(json.dumps(row))
        else:
            say(" ".join(_words(row)), hang=4)


def _words(row: Mapping[str, Any]) -> Iterator[str]:
    rest = dict(row)
    yield str(rest.pop("time"))
    yield str(rest.pop("event"))
    yield str(rest.pop("name", "-"))
    for name, value in rest.items():
        yield f"{name}={value}"
