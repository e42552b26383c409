"""Articles in and out, versions: add, watch, remove, export, build, status, rollback, prune."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from commands.qa import After, Before, Publisher
from commands.terminal import bar, open_archive, open_versions, period, shown, wrapped
from index import settings
from index.errors import InputError
from index.exported import line_of
from index.files import read_lines, written_whole
from index.records import Filter
from index.text import counted

if TYPE_CHECKING:
    from index.archive import AddReport, Archive
    from index.build import BuildReport, Progress, ShareReport
    from index.embedding import Embedder
    from index.manifest import Recipe
    from index.reading.files import Passed
    from index.records import Article, ReadProblem
    from index.versions import Check, Versions

PROBLEMS_SHOWN = 20
DUPLICATES_SHOWN = 3
PUBLISHERS_SHOWN = 20
EXPORTED_AT_ONCE = 500
IDS_SHOWN = 3

STANDARD = Path("-")


def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    publisher: Annotated[
        str, typer.Option(help="Publisher of articles that do not name theirs.")
    ] = "",
    column_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="TARGET=COLUMN",
            help="What a column of another name holds: date=siar. Give it once a column.",
        ),
    ] = None,
) -> None:
    """Add articles: text, HTML, JSON, CSV, Parquet, feeds, WARC; packed, or in folders.

    Rows need a text (or body, content, isi); title (judul), date (tanggal), url, publisher
    (sumber), author (penulis) and id are taken where they are there, under other usual names too.
    What looks like one of them and is not taken is told, with the --map that takes it.

    What is committed stays when you stop it; run it again to go on.

    Example: tanya add berita/ arsip-2019.jsonl.gz --publisher "Harian Kita"
    """
    from index.archive import AddReport
    from index.reading.files import find_files, size

    reader = _reader(context.obj, publisher, column_map)
    passed: Passed = Counter()
    files = find_files(paths, passed)
    if not files:
        _print_passed(passed)
        raise InputError(f"Nothing to add: no file of a known kind in {_listed(paths)}.")
    problems: list[ReadProblem] = []
    report = AddReport()
    with open_archive(context.obj) as archive, bar("Adding") as progress:
        task = progress.add_task("add", total=sum(size(file) for file in files))
        reader = partial(reader, progress=lambda n: progress.advance(task, n), passed=passed)
        articles = _read(files, reader, problems)
        try:
            for report in archive.add(articles, _now()):
                progress.update(task, description=f"{report.new + report.changed:,} articles")
        except KeyboardInterrupt:
            typer.echo("Stopped. What is counted below is in the archive.", err=True)
            _print_added(report, problems, passed)
            raise typer.Exit(1) from None
    _print_added(report, problems, passed)
    if not (report.new or report.changed or report.same or report.removed_earlier):
        raise InputError("No article could be read; see the problems above.")


def _reader(
    home: Path, publisher: str, column_map: list[str] | None = None
) -> Callable[..., Iterator[Article | ReadProblem]]:
    """Return what reads a file as the settings say; of two maps for a target the first is tried
    first."""
    from index.reading.dates import ZONES
    from index.reading.fields import Columns
    from index.reading.files import read

    chosen = settings.load(home).add
    try:
        columns = Columns.parse([*(column_map or ()), *chosen.map])
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    return partial(read, publisher=publisher, columns=columns, zone=ZONES[chosen.timezone])


def _read(
    files: list[Path],
    read: Callable[[Path], Iterator[Article | ReadProblem]],
    problems: list[ReadProblem],
) -> Iterator[Article]:
    from index.records import ReadProblem

    for file in files:
        for item in read(file):
            if isinstance(item, ReadProblem):
                problems.append(item)
            else:
                yield item


def _print_added(report: AddReport, told: list[ReadProblem], passed: Passed) -> None:
    problems = [problem for problem in told if not problem.note]
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
    if report.renamed:
        typer.echo(
            f"{report.renamed:,} came with the id of another article; both are kept, the later "
            "under an id of its own:"
        )
        for taken, title, other in report.taken[:IDS_SHOWN]:
            typer.echo(f"  {shown(taken)!r} is {shown(title)!r}, and came with {shown(other)!r}")
    _print_passed(passed)
    for lines in ([problem for problem in told if problem.note], problems):
        for problem in lines[:PROBLEMS_SHOWN]:
            typer.echo(wrapped(f"  {shown(problem.place)}: {shown(problem.reason)}", 4), err=True)
        if len(lines) > PROBLEMS_SHOWN:
            typer.echo(f"  and {len(lines) - PROBLEMS_SHOWN:,} more", err=True)


def _print_passed(passed: Passed) -> None:
    from index.reading.files import KNOWN

    if passed:
        kinds = ", ".join(f"{count:,} {shown(kind)}" for kind, count in passed.most_common())
        files = f"{passed.total():,} file{'s' if passed.total() > 1 else ''}"
        typer.echo(wrapped(f"passed over {files}: {kinds}. Read are {KNOWN}", 2))


def _listed(paths: list[Path]) -> str:
    return ", ".join(repr(str(path)) for path in paths)


def watch(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="FOLDER...", show_default=False)
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="An RSS or Atom feed to follow; may be repeated."),
    ] = None,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="How often feeds are asked: 90s, 5m, 2h.")
    ] = "5m",
    once: Annotated[bool, typer.Option("--once", help="Make one pass and leave.")] = False,
    publisher: Annotated[
        str, typer.Option(help="Publisher of articles that do not name theirs.")
    ] = "",
) -> None:
    """Add and build what comes into folders and feeds, until you stop it (Ctrl-C).

    A new or changed file is live within seconds; one that is still being written is waited for.
    Of each new item of a feed the page is read, as politely as [watch] in tanya.toml says. What was
    read is remembered, so a restart goes on where it was.

    Example: tanya watch /srv/berita --feed https://contoh.example/rss --every 10m
    """
    if not (folders or feed):
        raise typer.BadParameter("Name a FOLDER to watch, or a --feed URL.")
    seconds = _seconds(every)
    home: Path = context.obj
    with _ended_by_signals() as wait:
        try:
            _watch(home, folders or [], feed or [], publisher, None if once else seconds, wait)
        except KeyboardInterrupt:
            typer.echo("Stopped. What was added stays; the next start goes on from here.", err=True)


def _watch(
    home: Path,
    folders: list[Path],
    feeds: list[str],
    publisher: str,
    every: float | None,
    wait: Callable[[float], None],
) -> None:
    """Watch for ever, asking feeds all `every` seconds; None: make one pass."""
    from index import build as builds
    from index import follow, seen, watch
    from index.embedding import open_embedder
    from index.fetch import Fetcher
    from index.reading.dates import ZONES

    chosen = settings.load(home)
    with watch.lock(home), open_archive(home) as archive:
        embedder = open_embedder(chosen.embedding)
        versions = open_versions(home)
        memory = seen.Seen(home / seen.FILE_NAME)
        followed = None
        if feeds:
            fetcher = Fetcher(chosen.watch)
            followed = follow.Feeds(
                feeds,
                memory,
                fetcher,
                chosen.watch,
                publisher=publisher,
                zone=ZONES[chosen.add.timezone],
            )
        watcher = watch.Watcher(
            archive,
            versions,
            builds.recipe(versions.engine, embedder, chosen.chunking),
            embedder,
            watch.Folders(folders, memory),
            followed,
            lambda line: typer.echo(shown(line)),
            reader=_reader(home, publisher),
            keep=chosen.watch.keep,
        )
        if every is None:
            watcher.run_once(wait)
        else:
            typer.echo(
                f"Watching {counted(len(folders), 'folder')} and {counted(len(feeds), 'feed')}."
            )
            watcher.run(every, wait)


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def _seconds(written: str) -> float:
    match = re.fullmatch(r"(\d{1,6})([smhd]?)", written.strip())
    if match is None or not int(match[1]):
        raise typer.BadParameter(f"--every is {written!r} but must be a time such as 90s, 5m, 2h.")
    return int(match[1]) * _UNITS[match[2]]


@contextmanager
def _ended_by_signals() -> Iterator[Callable[[float], None]]:
    """Let SIGTERM, which systemd ends a service with, do what Ctrl-C does; yield how to wait.

    Python drops what a signal raises at some moments; then the next waiting raises it again.
    """
    stopped = False

    def interrupt(*_: object) -> NoReturn:
        nonlocal stopped
        stopped = True
        raise KeyboardInterrupt

    def wait(seconds: float) -> None:
        if stopped:
            raise KeyboardInterrupt
        time.sleep(seconds)

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wait
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def remove(
    context: typer.Context,
    article_ids: Annotated[
        list[str] | None, typer.Argument(metavar="ARTICLE_ID...", show_default=False)
    ] = None,
    publisher: Publisher = None,
    after: After = "",
    before: Before = "",
    from_file: Annotated[
        Path | None,
        typer.Option(
            metavar="IDS", help="Only articles whose ids stand in this file, one a line; - reads."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Let removed articles be added again.")
    ] = False,
) -> None:
    """Remove articles with every earlier text; they leave the index at the next build.

    Name their ids, or say which: what several options say must all hold. You are shown how many
    they are, and asked. The chat stops citing them at once, and they stay out when the same files
    are added again; --undo lets them in.

    Example: tanya remove --publisher "Harian Kita" --before 2015-12-31
    """
    options = bool(publisher or after or before)
    if article_ids and (options or from_file):
        raise typer.BadParameter("Give either ids or options that say which, not both.")
    if undo and options:
        raise typer.BadParameter("--undo takes ids or --from-file, no other options.")
    if not (article_ids or options or from_file):
        raise typer.BadParameter("Name an ARTICLE_ID, or say which: --publisher, --before, ...")
    if from_file == STANDARD and not (yes or undo):
        raise typer.BadParameter("--from-file - leaves nothing to ask you by; add --yes.")
    ids = article_ids or (_ids_in(from_file) if from_file else None)
    with open_archive(context.obj) as archive:
        if undo:
            _tell_removed("allowed again", ids or [], archive.allow_again(ids or []))
        elif article_ids:
            _tell_removed("removed", article_ids, archive.remove(article_ids, _now()))
        else:
            _remove_chosen(archive, _chosen(archive, publisher, after, before), ids, yes)


def _remove_chosen(archive: Archive, found: _Chosen, ids: list[str] | None, yes: bool) -> None:
    """Remove what was found, of `ids` alone where they are given, after showing it."""
    if ids is not None:
        there = archive.present(ids)
        found = [row for row in found if row[0] in there]
        if absent := len(ids) - len(there):
            typer.echo(f"{counted(absent, 'id')} of the file not in the archive.", err=True)
    if not found:
        raise InputError("No article is like that; nothing was removed.")
    if not yes:
        _print_chosen(found)
        typer.confirm("Remove them?", abort=True)
    typer.echo(f"removed {len(archive.remove([row[0] for row in found], _now())):,}")


def _tell_removed(what: str, article_ids: list[str], done: list[str]) -> None:
    unknown = [article_id for article_id in article_ids if article_id not in set(done)]
    typer.echo(f"{what} {len(done):,}")
    if unknown:
        listed = ", ".join(map(repr, unknown[:PROBLEMS_SHOWN]))
        more = len(unknown) - PROBLEMS_SHOWN
        raise InputError(f"Not found: {listed}{f' and {more:,} more' if more > 0 else ''}.")


def _ids_in(path: Path) -> list[str]:
    """Return the ids of a file, or of standard input: one a line, blanks around them cut off."""
    if path == STANDARD:
        written = sys.stdin.read().split("\n")
    else:
        written = read_lines(path, "a list of ids")
    return list(dict.fromkeys(filter(None, map(str.strip, written))))


_Chosen = list[tuple[str, str, dt.date | None]]


def _chosen(archive: Archive, publishers: list[str] | None, after: str, before: str) -> _Chosen:
    """Return (id, publisher, date) of the articles that the options of a command say."""
    from qa.question.sources import resolve_publishers

    named = resolve_publishers(publishers, archive.publishers()) if publishers else ()
    return archive.chosen(Filter(*period(after, before), named))


def _print_chosen(found: _Chosen) -> None:
    """Tell how many articles of which publishers and years would be removed."""
    typer.echo(f"{counted(len(found), 'article')}:")
    by_publisher: dict[str, Counter[int | None]] = {}
    for _, publisher, day in found:
        by_publisher.setdefault(publisher, Counter())[day.year if day else None] += 1
    ordered = sorted(by_publisher.items(), key=lambda pair: -pair[1].total())
    for publisher, years in ordered[:PUBLISHERS_SHOWN]:
        each = [
            f"{year or 'undated'} {n:,}"
            for year, n in sorted(years.items(), key=lambda pair: pair[0] or 0)
        ]
        name = shown(publisher) or "(no publisher)"
        typer.echo(wrapped(f"  {name}: {years.total():,} ({' · '.join(each)})", 4))
    if len(ordered) > PUBLISHERS_SHOWN:
        typer.echo(f"  and {counted(len(ordered) - PUBLISHERS_SHOWN, 'more publisher')}")


def export(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to; .gz is gzipped, - is standard output.")
    ] = STANDARD,
    publisher: Publisher = None,
    after: After = "",
    before: Before = "",
) -> None:
    """Write the archive as JSON lines, which `tanya add` takes up exactly as they were.

    Not in it: earlier texts of changed articles, and which articles were removed.

    Example: tanya export --out arsip.jsonl.gz; tanya --home lain add arsip.jsonl.gz
    """
    with open_archive(context.obj, must_exist=True) as archive:
        ids = [row[0] for row in _chosen(archive, publisher, after, before)]
        if not ids:
            raise InputError("No article is like that; nothing was written.")
        try:
            written = _write_exported(archive, ids, out)
        except KeyboardInterrupt:
            typer.echo("Stopped. No file was written.", err=True)
            raise typer.Exit(1) from None
    typer.echo(f"{counted(written, 'article')} written to {out}", err=out == STANDARD)


def _write_exported(archive: Archive, article_ids: list[str], out: Path) -> int:
    written = 0
    with _opened(out) as file, bar("Exporting") as progress:
        task = progress.add_task("", total=len(article_ids))
        for at in range(0, len(article_ids), EXPORTED_AT_ONCE):
            some = article_ids[at : at + EXPORTED_AT_ONCE]
            for article, _ in archive.articles(some):
                file.write(line_of(article))
                written += 1
            progress.advance(task, len(some))
    return written


@contextmanager
def _opened(out: Path) -> Iterator[TextIO]:
    if out != STANDARD:
        with written_whole(out) as file:
            yield file
        return
    # The terminal's own encoding may lack letters that the archive has.
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
    try:
        yield file
        file.flush()
    finally:
        file.detach()


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
