"""Articles in and out, versions: add, watch, remove, export, build, status, ..., doctor."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import (
    After,
    AsJson,
    Before,
    Publisher,
    bar,
    chosen_filter,
    echo_json,
    say,
    shown,
    steps,
    stopped,
    usage,
)
from index import logs, settings
from index.errors import InputError
from index.exported import STANDARD, ids_in, write
from index.text import counted

if TYPE_CHECKING:
    from index.adding import Intake
    from index.archive import AddReport, Archive
    from index.build import BuildReport, Progress, ShareReport
    from index.doctor import Examination
    from index.home import OpenHome
    from index.reading.files import Passed
    from index.records import ReadProblem
    from index.versions import Check

PROBLEMS_SHOWN = 20
DUPLICATES_SHOWN = 3
PUBLISHERS_SHOWN = 20
IDS_SHOWN = 3

Fallback = Annotated[
    str, typer.Option(metavar="NAME", help="Publisher of articles that do not name theirs.")
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="TARGET=COLUMN",
        help="What a column of another name holds: date=siar. Give it once a column.",
    ),
]


def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    publisher: Fallback = "",
    column_map: Map = None,
) -> None:
    """Add articles: text, HTML, JSON, CSV, Parquet, feeds, WARC; packed, or in folders.

    Rows need a text (or body, content, isi); title (judul), date (tanggal), url, publisher
    (sumber), author (penulis) and id are taken where they are there, under other usual names too.
    What looks like one of them and is not taken is told, with the --map that takes it.

    What is committed stays when you stop it; run it again to go on.

    Example: tanya add berita/ arsip-2019.jsonl.gz --publisher "Harian Kita"
    """
    from index import adding, reports
    from index.home import open_archive
    from index.reading.files import find_files, size

    with usage("--map"):
        read = adding.reader(settings.load(context.obj).add, publisher, column_map or ())
    intake = adding.Intake()
    files = find_files(paths, intake.passed)
    if not files:
        _print_passed(intake.passed)
        named = ", ".join(repr(str(path)) for path in paths)
        raise InputError(f"Nothing to add: no file of a known kind in {named}.")
    with open_archive(context.obj, create=True) as archive, bar("Adding") as progress:
        task = progress.add_task("add", total=sum(size(file) for file in files))
        try:
            with reports.recorded(context.obj, reports.begin("add", paths, _now()), intake):
                for report in intake.add(
                    archive, files, read, _now(), lambda n: progress.advance(task, n)
                ):
                    progress.update(task, description=f"{report.new + report.changed:,} articles")
        except KeyboardInterrupt:
            typer.echo("Stopped. What is counted below is in the archive.", err=True)
            _print_added(intake)
            raise typer.Exit(1) from None
    _print_added(intake)
    report = intake.added
    _audited(context.obj, "add", new=report.new, changed=report.changed)
    if not (report.new or report.changed or report.same or report.removed_earlier):
        raise InputError("No article could be read; see the problems above.")


def _print_added(intake: Intake) -> None:
    report = intake.added
    say(
        f"new {report.new:,} · changed {report.changed:,} · same {report.same:,} · "
        f"duplicates {report.duplicates:,} · problems {len(intake.problems):,}"
    )
    for title, other in report.examples[:DUPLICATES_SHOWN]:
        say(f"  {title!r} is a duplicate of {other!r}")
    if intake.undated:
        count = counted(intake.undated, "article")
        say(f"without a date: {count}, which no question about a time finds")
    if intake.unnamed:
        say(f"without a publisher: {counted(intake.unnamed, 'article')}; --publisher NAME says it")
    if report.removed_earlier:
        say(
            f"{report.removed_earlier:,} were removed earlier and stay out; "
            "`tanya remove --undo ID` lets one in again."
        )
    if report.renamed:
        say(
            f"{report.renamed:,} came with the id of another article; both are kept, the later "
            "under an id of its own:"
        )
        for taken, title, other in report.taken[:IDS_SHOWN]:
            say(f"  {taken!r} is {title!r}, and came with {other!r}")
    _print_passed(intake.passed)
    _print_problems(intake.notes)
    _print_problems(intake.problems)
    if report.new or report.changed:
        typer.echo("Next: tanya build")


def _print_problems(told: list[ReadProblem]) -> None:
    for problem in told[:PROBLEMS_SHOWN]:
        say(f"  {problem.place}: {problem.reason}", hang=4, err=True)
    if len(told) > PROBLEMS_SHOWN:
        say(f"  and {len(told) - PROBLEMS_SHOWN:,} more", err=True)


def _print_passed(passed: Passed) -> None:
    from index.reading.files import KNOWN

    if passed:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in passed.most_common())
        files = counted(passed.total(), "file")
        say(f"passed over {files}: {kinds}. Read are {KNOWN}", hang=2)


def watch(
    context: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER...", show_default=False, help="Folders to look at."),
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="An RSS or Atom feed to follow; may be repeated."),
    ] = None,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="How often feeds are asked: 90s, 5m, 2h.")
    ] = "5m",
    once: Annotated[bool, typer.Option("--once", help="Make one pass and leave.")] = False,
    publisher: Fallback = "",
    column_map: Map = None,
) -> None:
    """Add and build what comes into folders and feeds, until you stop it (Ctrl-C).

    A new or changed file is live within seconds; one that is still being written is waited for.
    Of each new item of a feed the page is read, as politely as [watch] in tanya.toml says. What was
    read is remembered, so a restart goes on where it was.

    Example: tanya watch /srv/berita --feed https://contoh.example/rss --every 10m
    """
    from index import adding, service, watch

    folders, feeds = folders or [], feed or []
    if not (folders or feeds):
        raise typer.BadParameter("Name a FOLDER to watch, or a --feed URL.")
    with usage("--every"):
        seconds = service.seconds(every)
    with usage("--map"):
        read = adding.reader(settings.load(context.obj).add, publisher, column_map or ())
    with usage("--feed"):
        watch.check_feeds(feeds)
    logs.configure(settings.load(context.obj).log)

    def published(version: str, added: AddReport) -> None:
        _audited(context.obj, "build", version=version, new=added.new, changed=added.changed)

    with service.ended_by_signals() as wait:
        try:
            given = (context.obj, folders, feeds, read, say, publisher)
            with watch.opened(*given, published=published) as watcher:
                if once:
                    watcher.run_once(wait)
                    return
                named = [counted(len(folders), "folder")] if folders else []
                named += [counted(len(feeds), "feed")] if feeds else []
                typer.echo(f"Watching {' and '.join(named)}.")
                watcher.run(seconds, wait)
        except KeyboardInterrupt:
            typer.echo("Stopped. What was added stays; the next start goes on from here.", err=True)


def remove(
    context: typer.Context,
    article_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARTICLE_ID...", show_default=False, help="Ids of articles."),
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
    from index.home import open_archive

    options = bool(publisher or after or before)
    if article_ids and (options or from_file):
        raise typer.BadParameter("Give either ids or options that say which, not both.")
    if undo and options:
        raise typer.BadParameter("--undo takes ids or --from-file, no other options.")
    if not (article_ids or options or from_file):
        raise typer.BadParameter("Name an ARTICLE_ID, or say which: --publisher, --before, ...")
    if from_file == STANDARD and not (yes or undo):
        raise typer.BadParameter("--from-file - leaves nothing to ask you by; add --yes.")
    ids = article_ids or (ids_in(from_file) if from_file else None)
    with open_archive(context.obj) as archive:
        if undo:
            _tell_removed("allowed again", ids or [], archive.allow_again(ids or []))
            return
        if article_ids:
            _tell_removed("removed", article_ids, archive.remove(article_ids, _now()))
        else:
            chosen = chosen_filter(after, before, publisher, archive.publishers)
            _remove_chosen(archive, archive.chosen(chosen), ids, yes)
    _audited(context.obj, "remove")
    typer.echo("Next: tanya build")


_Chosen = list[tuple[str, str, dt.date | None]]


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
        if not typer.confirm("Remove them?"):
            raise InputError("Nothing was removed.")
    typer.echo(f"removed {len(archive.remove([row[0] for row in found], _now())):,}")


def _tell_removed(what: str, article_ids: list[str], done: list[str]) -> None:
    known = set(done)
    unknown = [article_id for article_id in article_ids if article_id not in known]
    typer.echo(f"{what} {len(done):,}")
    if unknown:
        listed = ", ".join(map(repr, unknown[:PROBLEMS_SHOWN]))
        more = len(unknown) - PROBLEMS_SHOWN
        raise InputError(f"Not found: {listed}{f' and {more:,} more' if more > 0 else ''}.")


def _print_chosen(found: _Chosen) -> None:
    """Tell how many articles of which publishers and years would be removed."""
    typer.echo(f"{counted(len(found), 'article')}:")
    by_publisher: dict[str, Counter[int]] = {}
    for _, publisher, day in found:
        by_publisher.setdefault(publisher, Counter())[day.year if day else 0] += 1
    ordered = sorted(by_publisher.items(), key=lambda pair: -pair[1].total())
    for publisher, years in ordered[:PUBLISHERS_SHOWN]:
        each = " · ".join(f"{year or 'undated'} {n:,}" for year, n in sorted(years.items()))
        say(f"  {publisher or '(no publisher)'}: {years.total():,} ({each})", hang=4)
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
    from index.home import open_archive

    with open_archive(context.obj) as archive:
        chosen = chosen_filter(after, before, publisher, archive.publishers)
        ids = [row[0] for row in archive.chosen(chosen)]
        if not ids:
            raise InputError("No article is like that; nothing was written.")
        with stopped("Stopped. No file was written."), bar("Exporting") as progress:
            task = progress.add_task("", total=len(ids))
            written = write(archive, ids, out, lambda n: progress.advance(task, n))
    say(f"{counted(written, 'article')} written to {out}", err=out == STANDARD)


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
    allow_removals: Annotated[
        bool,
        typer.Option(
            "--allow-removals",
            help="Drop what the archive lacks, also where that is much and nobody removed it.",
        ),
    ] = False,
) -> None:
    """Bring the index up to the archive and make it live; a running chat picks it up by itself.

    Only new, changed and removed articles are touched. Whatever stops it, the live version stays,
    and the next build goes on from what was embedded.

    Example: tanya eval make sets/known; tanya add berita/; tanya build --gate sets/known
    """
    from index import build as builds

    share = _share(shard)
    if share and (full or gate or gate_run):
        raise typer.BadParameter("--shard publishes nothing; leave the other options out.")
    message = "Stopped. The live version is as it was; run it again to go on."
    with stopped(message), _building(context.obj) as (opened, show):
        made = opened.archive, opened.versions, opened.recipe, opened.embedder
        if share:
            _print_share(builds.prepare(*made, share, progress=show), shard)
        else:
            check = _gate(opened, context.obj, gate, gate_run, show)
            report = builds.build(
                *made,
                now=_now(),
                full=full,
                progress=show,
                check=check,
                allow_removals=allow_removals,
            )
            if report.version:
                _audited(context.obj, "build", version=report.version.name)
            _print_built(report)


@contextmanager
def _building(home: Path) -> Iterator[tuple[OpenHome, Progress]]:
    """Open what a build needs, with a progress bar."""
    from index.home import OpenHome

    with OpenHome.open(home) as opened, bar("Indexing") as progress:
        task = progress.add_task("index", total=None)

        def show(stage: str, done: int, total: int) -> None:
            described = f"{stage} {done:,}/{total:,}"
            progress.update(task, description=described, completed=done, total=total)

        yield opened, show


def _share(shard: str) -> tuple[int, int] | None:
    if not shard:
        return None
    number, slash, shares = shard.partition("/")
    if not (slash and number.isdecimal() and shares.isdecimal()):
        raise typer.BadParameter(f"--shard is {shard!r}; write it as 1/4, 2/4 and so on.")
    return int(number), int(shares)


def _gate(
    opened: OpenHome, home: Path, folder: Path | None, run: Path | None, show: Progress
) -> Check:
    """Return the check that a new version must pass; without a set there is none."""
    if folder is None:
        if run is not None:
            raise typer.BadParameter("--gate-run needs --gate SET.")
        return lambda index: None
    from eval import gates, runs
    from qa.chat import Chat

    return gates.check_build(
        Chat.open(home),
        opened.versions.live(),
        folder,
        base=runs.load(run) if run else None,
        show=typer.echo,
        progress=show,
    )


def _print_share(done: ShareReport, shard: str) -> None:
    if not done.articles:
        typer.echo(f"share {shard}: nothing falls to it; the other shares hold all articles.")
        return
    say(
        f"share {shard}: {done.articles:,} articles (embedded {done.embedded:,}) in {done.folder}; "
        "a build of a home with these files in that folder takes them up",
        hang=2,
    )


def _print_built(report: BuildReport) -> None:
    if report.version is None:
        typer.echo("Nothing to do: the index is up to date.")
        return
    plan, version = report.plan, report.version
    if report.damage:
        below = f"on version {report.base}" if report.base else "anew from the archive"
        say(f"{report.damage} This one was built {below}.", err=True)
    say(
        f"version {version.name}: {version.articles:,} articles, "
        f"{version.passages:,} passages, {version.stories:,} stories "
        f"(new {len(plan.new):,} · changed {len(plan.changed):,} · removed {len(plan.removed):,} · "
        f"embedded {report.embedded:,} articles"
        + (f" · taken up {report.taken_up:,})" if report.taken_up else ")"),
        hang=2,
    )


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show what the archive and the live version hold, and what waits to be built."""
    from index import home

    found = home.status(context.obj, _now())
    if as_json:
        echo_json(found)
        return
    for name, value in found.items():
        if name == "publishers":
            value = ", ".join(f"{p} {n:,}" for p, n in list(value.items())[:10]) or None
        if name == "vectors":
            value = ", ".join(f"{v['kind']} {v['rows']:,} ({v['recall']:.3f})" for v in value)
        words = "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
        typer.echo(f"{name.replace('_', ' '):<18} {shown(words)}")


def rollback(context: typer.Context) -> None:
    """Make the version before the live one live again; the next build takes up all once more."""
    from index.home import open_versions

    live = open_versions(context.obj).rollback()
    _audited(context.obj, "rollback", version=live)
    typer.echo(f"live: version {live}")


def prune(
    context: typer.Context,
    keep: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many of the newest versions to keep.")
    ] = 2,
) -> None:
    """Delete old versions; the live one always stays."""
    from index.home import open_versions

    versions = open_versions(context.obj)
    gone = versions.prune(keep)
    _audited(context.obj, "prune", versions=gone)
    typer.echo(f"deleted {len(gone)}, kept {len(versions.names())}")


def _audited(home: Path, event: str, **facts: object) -> None:
    """Write in the home's audit log what was done to it."""
    from web import audit

    audit.command(home, settings.load(home).log, event, **facts)


def doctor(
    context: typer.Context,
    mend: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended; the archive stays as it is.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every file of the home; tell what is damaged or left over, and what can be done.

    Ends with status 1 where something is wrong. With --repair the newest whole version becomes
    live, or one is built anew from the archive; damaged versions and leftovers are deleted.
    """
    from index import doctor as doctors

    done: list[str] = []
    with steps("Reading") as show:
        found = doctors.examine(context.obj, _now(), show)
        if mend and found.findings:
            done = doctors.repair(found, _now(), show)
            found = doctors.examine(context.obj, _now(), show)
    if as_json:
        told = {"healthy": found.healthy, **dataclasses.asdict(found), "done": done}
        echo_json(told)
    else:
        _print_examined(found, done)
    if not found.healthy:
        raise typer.Exit(1)


def _print_examined(found: Examination, done: list[str]) -> None:
    for each in done:
        say(each, hang=2)
    articles = "-" if found.articles is None else counted(found.articles, "article")
    say(f"archive {articles} · versions whole: {', '.join(found.whole) or 'none'}", hang=2)
    unchecked = [v.name for v in found.versions if not (v.checksums or v.faults)]
    if unchecked:
        say(f"without checksums, so only opened: {', '.join(unchecked)}", hang=2)
    for finding in found.findings:
        problem = f"{finding.problem.rstrip('.')}. {finding.advice}"
        say(f"{finding.kind}: {finding.what}: {problem}", hang=2)
    typer.echo(f"{len(found.findings)} found." if found.findings else "Nothing is wrong.")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
