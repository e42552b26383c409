"""Articles in, versions out: add, remove, build, status, rollback, prune."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.terminal import bar, open_archive, open_versions, shown, wrapped
from index import settings
from index.errors import InputError

if TYPE_CHECKING:
    from index.archive import AddReport, Archive
    from index.build import BuildReport, Progress, ShareReport
    from index.embedding import Embedder
    from index.manifest import Recipe
    from index.records import Article, ReadProblem
    from index.versions import Check, Versions

PROBLEMS_SHOWN = 20
DUPLICATES_SHOWN = 3


def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    publisher: Annotated[
        str, typer.Option(help="Publisher of articles that do not name theirs.")
    ] = "",
) -> None:
    """Add articles: raw text, HTML, JSONL, CSV, each also gzipped, or folders of them.

    Rows need a text (or body, content, isi); title (judul), date (tanggal), url, publisher
    (sumber), author (penulis) and id are taken where they are there, under other usual names too.

    What is committed stays when you stop it; run it again to go on.

    Example: tanya add berita/ arsip-2019.jsonl.gz --publisher "Harian Kita"
    """
    from index.archive import AddReport
    from index.reading.files import find_files, size

    files = find_files(paths)
    problems: list[ReadProblem] = []
    report = AddReport()
    with open_archive(context.obj) as archive, bar("Adding") as progress:
        task = progress.add_task("add", total=sum(size(file) for file in files))
        articles = _read(files, publisher, problems, lambda n: progress.advance(task, n))
        try:
            for report in archive.add(articles, _now()):
                progress.update(task, description=f"{report.new + report.changed:,} articles")
        except KeyboardInterrupt:
            typer.echo("Stopped. What is counted below is in the archive.", err=True)
            _print_added(report, problems)
            raise typer.Exit(1) from None
    _print_added(report, problems)
    if problems and not (report.new or report.changed or report.same or report.removed_earlier):
        raise InputError("No article could be read; see the problems above.")


def _read(
    files: list[Path],
    publisher: str,
    problems: list[ReadProblem],
    progress: Callable[[int], None],
) -> Iterator[Article]:
    from index.reading.files import read
    from index.records import ReadProblem

    for file in files:
        for item in read(file, publisher=publisher, progress=progress):
            if isinstance(item, ReadProblem):
                problems.append(item)
            else:
                yield item


def _print_added(report: AddReport, problems: list[ReadProblem]) -> None:
    typer.echo(
        f"new {report.new:,} · changed {report.changed:,} · same {report.same:,} · "
        f"duplicates {report.duplicates:,} · problems {len(problems):,}"
    )
    for title, other in report.examples[:DUPLICATES_SHOWN]:
        typer.echo(f"  {shown(title)!r} is a duplicate of {shown(other)!r}")
    if report.removed_earlier:
        typer.echo(
            f"{report.removed_earlier:,} were removed earlier and stay out; "
            "`tanya remove --undo ID` lets one in again."
        )
    for problem in problems[:PROBLEMS_SHOWN]:
        typer.echo(wrapped(f"  {shown(problem.place)}: {shown(problem.reason)}", 4), err=True)
    if len(problems) > PROBLEMS_SHOWN:
        typer.echo(f"  and {len(problems) - PROBLEMS_SHOWN:,} more", err=True)


def remove(
    context: typer.Context,
    article_ids: Annotated[list[str], typer.Argument(metavar="ARTICLE_ID...")],
    undo: Annotated[
        bool, typer.Option("--undo", help="Let removed articles be added again.")
    ] = False,
) -> None:
    """Remove articles with every earlier text; they leave the index at the next build.

    The chat stops citing them at once.
    """
    with open_archive(context.obj) as archive:
        if undo:
            done = archive.allow_again(article_ids)
        else:
            done = archive.remove(article_ids, _now())
    unknown = [article_id for article_id in article_ids if article_id not in done]
    typer.echo(f"{'allowed again' if undo else 'removed'} {len(done):,}")
    if unknown:
        raise InputError(f"Not found: {', '.join(map(repr, unknown))}.")


def build(
    context: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Index every article anew, not only the changes.")
    ] = False,
    gate: Annotated[
        Path | None,
        typer.Option(
            metavar="SET",
            help="A question set: go live only if it finds no less than the live version.",
        ),
    ] = None,
    gate_run: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="What the live version found on SET, where other settings built it.",
        ),
    ] = None,
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="Only embed share I of N, into files that the next build takes up.",
        ),
    ] = "",
) -> None:
    """Bring the index up to the archive and make it live; a running chat picks it up by itself.

    Only new, changed and removed articles are touched. Whatever stops it, the live version stays,
    and the next build goes on from what was embedded.

    Example: tanya eval make sets/known; tanya add berita/; tanya build --gate sets/known
    """
    share = _share(shard)
    if share and (full or gate or gate_run):
        raise typer.BadParameter("--shard publishes nothing; leave the other options out.")
    try:
        if share:
            _print_share(_prepare(context.obj, share), shard)
        else:
            _print_built(_build(context.obj, full, gate, gate_run))
    except KeyboardInterrupt:
        typer.echo("Stopped. The live version is as it was; run it again to go on.", err=True)
        raise typer.Exit(1) from None


def _build(home: Path, full: bool, gate: Path | None, gate_run: Path | None) -> BuildReport:
    from index import build as builds

    with _building(home) as (archive, versions, recipe, embedder, show):
        return builds.build(
            archive,
            versions,
            recipe,
            embedder,
            now=_now(),
            full=full,
            progress=show,
            check=_gate(home, gate, gate_run, show),
        )


def _prepare(home: Path, share: tuple[int, int]) -> ShareReport:
    from index import build as builds

    with _building(home) as (archive, versions, recipe, embedder, show):
        return builds.prepare(archive, versions, recipe, embedder, share, progress=show)


@contextmanager
def _building(home: Path) -> Iterator[tuple[Archive, Versions, Recipe, Embedder, Progress]]:
    """Open what a build needs, with a progress bar."""
    from index import build as builds
    from index.embedding import open_embedder

    chosen = settings.load(home)
    versions = open_versions(home)
    embedder = open_embedder(chosen.embedding)
    recipe = builds.recipe(versions.engine, embedder, chosen.chunking)
    with open_archive(home, must_exist=True) as archive, bar("Indexing") as progress:
        task = progress.add_task("index", total=None)

        def show(stage: str, done: int, total: int) -> None:
            described = f"{stage} {done:,}/{total:,}"
            progress.update(task, description=described, completed=done, total=total)

        yield archive, versions, recipe, embedder, show


def _share(shard: str) -> tuple[int, int] | None:
    if not shard:
        return None
    number, slash, shares = shard.partition("/")
    if not (slash and number.isdecimal() and shares.isdecimal()):
        raise typer.BadParameter(f"--shard is {shard!r}; write it as 1/4, 2/4 and so on.")
    return int(number), int(shares)


def _print_share(done: ShareReport, shard: str) -> None:
    if not done.articles:
        typer.echo(f"share {shard}: nothing falls to it; the other shares hold all articles.")
        return
    line = (
        f"share {shard}: {done.articles:,} articles (embedded {done.embedded:,}) in {done.folder}; "
        "a build of a home with these files in that folder takes them up"
    )
    typer.echo(wrapped(line, indent=2))


def _print_built(report: BuildReport) -> None:
    if report.version is None:
        typer.echo("Nothing to do: the index is up to date.")
        return
    plan = report.plan
    line = (
        f"version {report.version.name}: {report.version.articles:,} articles, "
        f"{report.version.passages:,} passages, {report.version.stories:,} stories "
        f"(new {len(plan.new):,} · changed {len(plan.changed):,} · removed {len(plan.removed):,} · "
        f"embedded {report.embedded:,} articles"
        + (f" · taken up {report.taken_up:,})" if report.taken_up else ")")
    )
    typer.echo(wrapped(line, indent=2))


def _gate(home: Path, folder: Path | None, run: Path | None, show: Progress) -> Check:
    """Return the check that a new version must pass; without a set there is none."""
    if folder is None:
        if run is not None:
            raise typer.BadParameter("--gate-run needs --gate SET.")
        return lambda index: None
    from eval import gates, runs
    from qa.chat import Chat

    return gates.check_build(
        Chat.open(home),
        open_versions(home).live(),
        folder,
        base=runs.load(run) if run else None,
        show=typer.echo,
        progress=show,
    )


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show what the archive and the live version hold, and what waits to be built."""
    found = _status(context.obj)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found.items():
        if name == "publishers":
            value = ", ".join(f"{p} {n:,}" for p, n in list(value.items())[:10]) or None
        if name == "vectors":
            value = ", ".join(f"{v['kind']} {v['rows']:,} ({v['recall']:.3f})" for v in value)
        words = "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
        typer.echo(wrapped(f"{name.replace('_', ' '):<18} {words}", indent=19))


def _status(home: Path) -> dict[str, Any]:
    from index.build import waiting
    from index.versions import disk_bytes

    with open_archive(home, must_exist=True) as archive:
        versions = open_versions(home)
        live = versions.live()
        version = versions.describe(live) if live else None
        new, changed, removed = waiting(archive, versions, live)
        up_to_date = version and not (new or changed or removed)
        counts = archive.counts(version.stories if version and up_to_date else None)
    age = (_now() - version.built).total_seconds() if version else None
    return {
        "home": str(home),
        "articles": counts.articles,
        "stories": counts.stories,
        "undated": counts.undated,
        "newest_article": counts.newest.isoformat() if counts.newest else None,
        "oldest_article": counts.oldest.isoformat() if counts.oldest else None,
        "version": live,
        "versions": len(versions.names()),
        "indexed_articles": version.articles if version else 0,
        "indexed_passages": version.passages if version else 0,
        "indexed_stories": version.stories if version else 0,
        "built": version.built.isoformat(timespec="seconds") if version else None,
        "age_seconds": round(age) if age is not None else None,
        "waiting_new": new,
        "waiting_changed": changed,
        "waiting_removed": removed,
        "model": version.recipe.model if version else None,
        "vectors": [dataclasses.asdict(kind) for kind in version.vectors] if version else [],
        "archive_bytes": (home / "archive.db").stat().st_size,
        "index_bytes": disk_bytes([versions.path(name) for name in versions.names()]),
        "publishers": dict(version.publishers) if version else {},
    }


def rollback(context: typer.Context) -> None:
    """Make the version before the live one live again."""
    typer.echo(f"live: version {open_versions(context.obj).rollback()}")


def prune(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest versions to keep.")] = 2,
) -> None:
    """Delete old versions; the live one always stays."""
    versions = open_versions(context.obj)
    gone = versions.prune(keep)
    typer.echo(f"deleted {len(gone)}, kept {len(versions.names())}")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
