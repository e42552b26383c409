"""What people said of the chat's answers: listed, exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import AsJson, echo_json, shown, usage
from index import settings
from index.files import written_whole
from index.text import counted

if TYPE_CHECKING:
    from qa.history import KeptTurn


def feedback(
    context: typer.Context,
    bad: Annotated[
        bool, typer.Option("--bad", help="Only answers that were called wrong.")
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Only what was said then or later (UTC).")
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0: all.")] = 20,
    as_json: AsJson = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all of it as JSON lines, with the answers."),
    ] = None,
) -> None:
    """List what people said of the chat's answers, the newest first.

    Example: tanya feedback --bad --since 2026-01-01

    Example: tanya feedback --export feedback.jsonl

    `tanya eval collect SET` makes a question set of it.
    """
    from qa.history import History
    from qa.interface import published, verdict_row

    with usage("--since"):
        first = published(since, "").after
    history = History.of(context.obj, keep=settings.load(context.obj).chat.keep)
    said = [
        kept
        for kept in history.judged()
        if kept.verdict
        and not (bad and kept.verdict.good)
        and not (first and kept.verdict.given.date() < first)
    ]
    if export is not None:
        with written_whole(export) as file:
            file.writelines(f"{json.dumps(verdict_row(t), ensure_ascii=False)}\n" for t in said)
        typer.echo(f"{counted(len(said), 'verdict')} written to {export}")
        return
    newest = said[: limit or None]
    if as_json:
        echo_json([verdict_row(kept) for kept in newest])
        return
    if not said:
        typer.echo("Nobody has said yet whether an answer was right.", err=True)
        return
    _print(newest)
    if len(newest) < len(said):
        typer.echo(f"The newest {len(newest):,} of {len(said):,}; --limit 0 lists all.", err=True)


def _print(said: list[KeptTurn]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, most in (("said", 10), ("verdict", 8), ("question", None), ("what was said", None)):
        table.add_column(name, overflow="fold", min_width=most)
    for kept in said:
        verdict = kept.verdict
        if verdict is None:
            continue
        remarks = (verdict.right_answer, verdict.right_article, verdict.words)
        cells = (
            f"{verdict.given:%Y-%m-%d}",
            "good" if verdict.good else verdict.reason or "bad",
            shown(kept.question),
            " · ".join(filter(None, map(shown, remarks))),
        )
        # As Text, what people typed is no markup.
        table.add_row(*map(Text, cells))
    Console().print(table)
