"""The `tanya eval bench` command: options in, tables and files out."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index.cli import bar

if TYPE_CHECKING:
    from eval.bench import Bench, Plan


def bench(
    sizes: Annotated[
        str, typer.Option(metavar="N,N,...", help="Archives of so many passages.")
    ] = "10000,100000,1000000",
    data: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Take articles from here; else they are made up."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write bench.md, bench.json and bench.svg; goes on here."),
    ] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(
            "--peer",
            metavar="NAME=PYTHON",
            help="Compare with txtai, haystack or llamaindex in the environment of that Python.",
        ),
    ] = None,
    questions: Annotated[int, typer.Option(min=10, help="How many questions to ask.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed, other articles and questions.")] = 0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the archives in DIR/work afterwards.")
    ] = False,
) -> None:
    """Measure speed, memory, disk and recall on archives of several sizes; the home is not used.

    With --data, the files named articles.jsonl or articles.jsonl.gz below FOLDER are read, and
    where they run out, sentences of forty articles at a time are mixed into new ones. A bench that
    was stopped goes on where it was, given the same --out. A million passages take about an hour
    and 10 GB of disk.

    Example: tanya eval bench --sizes 10000,100000 --out bench --peer txtai=envs/txtai/bin/python
    """
    from eval import bench as benches
    from eval import bench_tables

    with _folder(out) as folder, bar("Measuring") as progress:
        task = progress.add_task("", total=None)
        plan = benches.Plan(
            _sizes(sizes), folder, data and data.resolve(), questions, _peers(peers or []), seed
        )

        def told(doing: str, done: float, total: float) -> None:
            progress.update(task, description=doing, completed=done, total=total)

        try:
            found = benches.run(plan, told)
        except KeyboardInterrupt:
            progress.stop()
            goes_on = f" Run it again with --out {out} to go on." if out else ""
            typer.echo(f"Stopped.{goes_on}", err=True)
            raise typer.Exit(1) from None
        progress.stop()
        _show(bench_tables.rich_tables(found))
        if out is not None:
            _write(plan, found)
            if not keep:
                benches.clear(plan)
            typer.echo(f"Written: {out / 'bench.md'}, bench.json, bench.svg")


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="tanya-bench-") as folder:
        yield Path(folder)


def _sizes(given: str) -> tuple[int, ...]:
    try:
        return tuple(int(size.replace("_", "")) for size in given.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"--sizes is {given!r} but must be numbers of passages, as in 10000,100000."
        ) from None


def _peers(given: Sequence[str]) -> dict[str, Path]:
    named = {}
    for each in given:
        name, equals, python = each.partition("=")
        if not equals or not python:
            raise typer.BadParameter(f"--peer is {each!r} but must be NAME=PYTHON.")
        # Not resolved: a link to Python tells by its own place which environment is meant.
        named[name] = Path(python).expanduser().absolute()
    return named


def _show(tables: Sequence[object]) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    for each in tables:
        console.print(each, highlight=False)


def _write(plan: Plan, found: Bench) -> None:
    from eval import bench, bench_tables

    described = bench.described(plan, found, dt.datetime.now(dt.UTC))
    files = {
        "bench.json": json.dumps(described, ensure_ascii=False, indent=1),
        "bench.md": bench_tables.markdown(found, described),
        "bench.svg": bench_tables.plot(found),
    }
    for name, content in files.items():
        beside = plan.out / f"{name}.part"
        beside.write_text(content, encoding="utf-8")
        beside.replace(plan.out / name)
