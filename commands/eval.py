"""Evaluation: question sets, runs, answers, comparisons, reports, gates, benchmarks."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import bar, open_archive, shown
from index.errors import GateError, InputError
from index.files import written_whole
from index.settings import MODES
from index.text import counted

if TYPE_CHECKING:
    from eval.questions import Asked, QuestionSet, Relevant
    from eval.runs import Ask, Kept, Run, TextsOf

measures = typer.Typer(
    help="Measure retrieval and answers: question sets, runs, comparisons, reports, gates.",
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the question set to write.")]
Set = Annotated[
    Path, typer.Argument(metavar="SET", help="Folder of a question set, or a file of judgements.")
]
A_RUN = "Folder that `tanya eval run` wrote, or a TREC run of any program."
RUNS_HELP = "Folders that `tanya eval run` wrote, or TREC runs of any program."
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
ReplaceSet = Annotated[
    bool, typer.Option("--replace", help="Let an earlier question set in OUT give way.")
]
RunA, RunB, Base, New = (
    typer.Argument(metavar=name, help=meaning)
    for name, meaning in (
        ("A", f"{A_RUN} Or answers."),
        ("B", "The other run; SET, A and B, or the answers A and B alone."),
        ("BASE", f"{A_RUN} Or answers."),
        ("NEW", "The other run; SET, BASE and NEW, or the answers BASE and NEW alone."),
    )
)
NEEDS_SET = "Give SET and two runs, or two folders that `tanya eval answers` wrote."


@measures.command("import")
def import_set(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="Folder with passages and qa .jsonl.gz, a BEIR folder, or a file of TREC topics.",
        ),
    ],
    out: Out,
    prefix: Annotated[str, typer.Option(help="What names of passages and qa begin with.")] = "",
    split: Annotated[str, typer.Option(help="Which of a BEIR folder's qrels.")] = "test",
    qrels: Annotated[
        Path | None, typer.Option(help="Judgements of a file of topics (id<TAB>text).")
    ] = None,
    replace: ReplaceSet = False,
) -> None:
    """Turn a set of another form into a question set; add its corpus.jsonl to the archive.

    Example: tanya eval import data/facqa_dev sets/facqa; tanya add sets/facqa/corpus.jsonl

    Example: tanya eval import topics.tsv sets/mine --qrels qrels.txt
    """
    from eval import questions as sets

    if source.is_file() and qrels is None:
        raise typer.BadParameter(
            f"{source} is one file of topics: give its judgements with --qrels FILE."
        )
    sets.make_room(out, replace=replace)
    count = sets.import_set(source, out, prefix=prefix, split=split, qrels=qrels)
    typer.echo(f"{counted(count, 'question')} written to {out}")


@measures.command("make")
def make_set(
    context: typer.Context,
    out: Out,
    questions: Annotated[int, typer.Option(min=1, help="How many questions at most.")] = 500,
    seed: Annotated[int, typer.Option(help="Another seed makes other questions.")] = 0,
    replace: ReplaceSet = False,
) -> None:
    """Make a question set of the home's own archive: telling words of one sentence each.

    Relevant are the article that the sentence stands in and its whole story. The words are the
    article's own, in another order: compare versions and settings with it, not search with people.

    Example: tanya eval make sets/known --questions 500; tanya eval run sets/known --out runs/known
    """
    from eval import known_items
    from eval import questions as sets

    sets.make_room(out, replace=replace)
    with open_archive(context.obj, must_exist=True) as archive, bar("Reading") as progress:
        task = progress.add_task("articles", total=None)
        count = known_items.make(
            archive,
            out,
            questions=questions,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    # Its articles are the archive's own: a corpus there is that of the set before.
    (out / sets.CORPUS).unlink(missing_ok=True)
    typer.echo(f"{counted(count, 'question')} written to {out}")
    if count < questions:
        typer.echo(f"The archive gave no more than that; asked for were {questions:,}.", err=True)


@measures.command("written")
def written_set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SET", help="One of the sets below.")],
    out: Out,
    replace: ReplaceSet = False,
) -> None:
    """Write out a set that was written for this project, with the answers of the home's archive.

    conversations, conversations-held-out, newest, missing: over the openly licensed news of the
    development data, which must be in the archive.

    Example: tanya eval written newest sets/new; tanya eval answers sets/new --out runs/new
    """
    from eval import questions as sets

    if name not in sets.WRITTEN_SETS:
        raise typer.BadParameter(f"There is no set {name!r}: name {', '.join(sets.WRITTEN_SETS)}.")
    sets.make_room(out, replace=replace)
    with open_archive(context.obj, must_exist=True) as archive:
        count = sets.write_out(archive, name, out)
    typer.echo(f"{counted(count, 'question')} written to {out}")


@measures.command("run")
def run_set(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="SET", help="Folder of a question set.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of the run to write.")],
    mode: Annotated[str, typer.Option(help="hybrid, lexical or dense; else the settings'.")] = "",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many articles.")] = 100,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let an earlier run of that name give way.")
    ] = False,
) -> None:
    """Search for every question of a set, as `tanya search` does, and keep all that is measured.

    A question's own filter holds; a follow-up is searched as it was typed. Stop it when you like:
    the same command goes on where it stopped.

    Example: tanya eval run sets/known --mode lexical --out runs/lexical
    """
    from eval import provenance, runs
    from eval import questions as sets
    from qa.chat import Chat

    if mode not in ("", *MODES):
        raise typer.BadParameter(f"--mode is {mode!r} but must be one of {', '.join(MODES)}.")
    found = sets.load(folder)
    chat = Chat.open(context.obj)
    with open_archive(context.obj, must_exist=True) as archive:
        note(sets.gaps(found, archive.present(found.wanted())))
    index, now = chat.index(), dt.datetime.now(dt.UTC)
    retrieval = chat.settings.retrieval
    about = provenance.describe(folder, found.questions, index.version, retrieval, mode, k, now)
    asked = [sets.Asked(question) for question in found.questions]
    with runs.kept(out, about, again=replace) as kept:
        _ask_all(asked, runs.searching(chat, k, mode, index), kept, "Searching", out)
        in_order = [kept.rows[question.id] for question in found.questions]
        kept.finish(runs.trec_lines(in_order, str(about.retrieval["mode"])))
    number = counted(len(asked), "question")
    typer.echo(f"{number} searched on version {about.version}, run in {out}")
    typer.echo(f"Next: tanya eval score {folder} {out}")


@measures.command("answers")
def ask_set(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="SET", help="Folder of a question set.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to keep the answers in; else only the table."),
    ] = None,
    conversations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Conversations; else the set's own conversations.jsonl."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many of each file.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let earlier answers in that folder give way.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask every question of a set by the chat, and measure the answers against gold strings.

    Right is an answer that shows a gold string. What the chat declines is judged too, by what it
    held back, so that its confidence can be measured; follow-ups are measured apart. Stop it when
    you like: the same command goes on where it stopped.

    Example: tanya eval answers sets/facqa --out runs/answers; tanya eval report runs/answers
    """
    from commands.qa import turn_row
    from eval import compare, provenance, runs, tables
    from eval import questions as sets
    from qa.chat import Chat

    asked = sets.load_asked(folder, conversations, limit)
    relevant = sets.relevant_of(folder)
    chat = Chat.open(context.obj)
    about = provenance.describe_answers(
        chat, folder, [each.question for each in asked], conversations, dt.datetime.now(dt.UTC)
    )
    note(_gaps(context.obj, folder, relevant))
    ask = runs.answering(chat, asked, relevant, about.version, turn_row)
    rows: dict[str, runs.Row] = {}
    unkept = runs.Kept(rows, lambda row: rows.update({row["id"]: row}), lambda content: None)
    with runs.kept(out, about, again=replace) if out else nullcontext(unkept) as kept:
        _ask_all(asked, ask, kept, "Asking", out)
        run = runs.answers_run("", kept.rows.values(), about)
        found = compare.summarise(run)
        kept.finish(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n")
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    for line in tables.answer_lines(found, about.version, run.threshold):
        typer.echo(line)
    if out is not None:
        typer.echo(f"Next: tanya eval report {out}")


def _ask_all(asked: Sequence[Asked], ask: Ask, kept: Kept, label: str, out: Path | None) -> None:
    """Ask what is not there yet, and keep it; leaves with status 1 when stopped."""
    from eval import runs

    if kept.rows:
        are = "is" if len(kept.rows) == 1 else "are"
        number = counted(len(kept.rows), "question")
        typer.echo(f"{number} {are} there already; going on.", err=True)
    with bar(label) as progress:
        task = progress.add_task("questions", total=len(asked), completed=len(kept.rows))
        try:
            for row in runs.ask(asked, ask, set(kept.rows)):
                kept.put(row)
                progress.advance(task)
        except KeyboardInterrupt:
            progress.stop()
            again = (
                "run the same command again to go on" if out else "nothing is kept without --out"
            )
            typer.echo(
                f"Stopped: {len(kept.rows):,} of {len(asked):,} questions are asked; {again}.",
                err=True,
            )
            raise typer.Exit(1) from None


def note(remarks: Iterable[str]) -> None:
    """Print remarks on standard error; empty ones are left out."""
    for remark in filter(None, remarks):
        typer.echo(f"Note: {remark}", err=True)


def _gaps(home: Path, folder: Path, relevant: Relevant) -> list[str]:
    """Return which judgements say nothing of this archive; answers are measured without them."""
    from eval import questions as sets

    if not relevant:
        return []
    found = sets.QuestionSet(sets.read_questions(folder / sets.QUERIES), relevant)
    try:
        sets.require_use(found, folder / sets.QRELS)
        with open_archive(home, must_exist=True) as archive:
            return sets.gaps(found, archive.present(found.wanted()))
    except InputError as error:
        return [f"{error} Measured are only gold strings."]


# Measuring runs ----------------------------------------------------------------------------------


@measures.command()
def score(
    context: typer.Context,
    judged: Set,
    paths: Annotated[list[Path], typer.Argument(metavar="RUN...", help=RUNS_HELP)],
    as_json: AsJson = False,
) -> None:
    """Score runs, a line each: recall, reciprocal rank, nDCG, answers in the text, milliseconds.

    ans@1 and ans@5: a gold answer stands in the best passage of the first, of one of the first five
    articles. For a TREC run of another program it is looked for in the home's archived articles
    (*). Tied scores are ordered as trec_eval does, by falling id.

    Example: tanya eval score sets/facqa runs/hybrid runs/lexical bm25.trec
    """
    from eval import tables

    asked, runs = _judged(context.obj, judged, paths)
    if as_json:
        typer.echo(json.dumps([tables.search_row(run) for run in runs], ensure_ascii=False))
        return
    for line in tables.search_lines(runs, asked):
        typer.echo(line)


@measures.command()
def compare(
    context: typer.Context,
    judged: Set,
    a: Annotated[Path, RunA],
    b: Annotated[Path | None, RunB] = None,
    show: Annotated[int, typer.Option(min=0, help="How many questions that moved.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare run B with run A: difference, 95% interval, paired randomisation test.

    Then the questions that moved most, with the rank of the first relevant article in A and B and
    what each found first. Two folders of `tanya eval answers` are compared without the set.

    Example: tanya eval compare sets/facqa runs/before runs/after

    Example: tanya eval compare runs/answers-before runs/answers-after
    """
    from eval import compare, tables

    _, (of_a, of_b) = _two(context.obj, judged, a, b)
    note([compare.unevenness(of_a, of_b)])
    comparisons, moved = compare.compare(of_a, of_b), compare.moved(of_a, of_b)
    rows = tables.moved_rows(moved[:show], of_a, of_b, _looked_up(context.obj, "title"))
    questions = len(compare.paired(of_a, of_b))
    if as_json:
        found = {
            "a": of_a.name,
            "b": of_b.name,
            "questions": questions,
            "measures": [asdict(c) for c in comparisons],
            "moved": rows,
        }
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    noun = "question" if of_a.of_answers else "judged question"
    typer.echo(f"A {of_a.name} · B {of_b.name} · {counted(questions, noun)}")
    for line in tables.compare_lines(comparisons, of_answers=of_a.of_answers):
        typer.echo(line)
    for line in tables.moved_lines(rows, len(moved), shown):
        typer.echo(line)


@measures.command()
def report(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT.html", help="File to write.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN...", help=f"{RUNS_HELP} Or answers.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--set", metavar="SET", help="The question set, else the first run's own."),
    ] = None,
) -> None:
    """Write one HTML file with tables and plots of runs; it needs nothing else to be shown.

    A folder of `tanya eval answers` alone is given a report.html of its own.

    Example: tanya eval report hybrid.html runs/lexical runs/hybrid --set sets/facqa

    Example: tanya eval report runs/answers
    """
    from eval import compare, report, runs

    paths = paths or []
    if not paths and _are_answers([out]):
        out, paths = out / "report.html", [out]
    if not paths:
        raise typer.BadParameter("Give OUT.html and runs, or a folder of `tanya eval answers`.")
    _require_page(out)
    if _are_answers(paths):
        page = report.answers_page([runs.load(path) for path in paths])
        noun = "folder of answers" if len(paths) == 1 else "folders of answers"
        number = f"{len(paths)} {noun}"
    else:
        folder = folder or report.set_of(runs.load(paths[0]))
        asked, judged = _judged(context.obj, folder, paths)
        note(compare.unevenness(judged[0], other) for other in judged[1:])
        dates = _looked_up(context.obj, "published")
        page = report.search_page(folder.resolve().name, asked.relevant, judged, dates)
        number = counted(len(paths), "run")
    with written_whole(out) as file:
        file.write(page)
    typer.echo(f"{number} reported in {out}")


@measures.command()
def gate(
    context: typer.Context,
    judged: Set,
    base: Annotated[Path, Base],
    new: Annotated[Path | None, New] = None,
    measure: Annotated[
        list[str] | None, typer.Option(help="Only this measure; may be repeated.")
    ] = None,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="How much chance is allowed.")] = 0.05,
) -> None:
    """Leave with status 1 if a measure of NEW fell significantly below BASE (p < alpha), else 0.

    Each measure is tested by itself. `tanya build --gate SET` does the same before a version goes
    live. Two folders of `tanya eval answers` are tested without the set.

    Example: tanya eval gate sets/known runs/before runs/after --measure RR@10
    """
    from eval import compare, gates

    known = compare.names(of_answers=_are_answers(_paths(judged, base, new)))
    for name in measure or ():
        if name not in known:
            raise typer.BadParameter(
                f"There is no measure {name!r} here: choose from {', '.join(known)}."
            )
    _, (of_base, of_new) = _two(context.obj, judged, base, new, gated=True)
    note([compare.unevenness(of_base, of_new)])
    verdicts = gates.judge(of_base, of_new, measure or (), alpha)
    for verdict in verdicts:
        typer.echo(verdict.line)
    if names := gates.fallen(verdicts):
        raise GateError(f"{names} fell significantly: see `tanya eval compare` for the questions.")


def _paths(judged: Path, a: Path, b: Path | None) -> tuple[Path, Path]:
    """Return the two runs of SET, A and B, or of the answers A and B alone."""
    return (judged, a) if b is None else (a, b)


def _two(
    home: Path, judged: Path, a: Path, b: Path | None, *, gated: bool = False
) -> tuple[QuestionSet | None, list[Run]]:
    """Return two runs to compare, with the set that searches are judged by.

    Warns of questions that only one asked, raises InputError if there is none that both did.
    """
    from eval import compare, gates, runs

    paths = _paths(judged, a, b)
    if not _are_answers(paths):
        if b is None:
            raise typer.BadParameter(NEEDS_SET)
        return _judged(home, judged, paths, gated=gated)
    of_a, of_b = (runs.load(path) for path in paths)
    if gated:
        gates.require_same(None, judged, of_a, of_b)
    both = len(compare.paired(of_a, of_b))
    if not both:
        raise InputError(f"{of_a.name} and {of_b.name} have no question in common.")
    if both < max(len(of_a.questions), len(of_b.questions)):
        note([f"compared are the {both:,} questions that both asked."])
    return None, [of_a, of_b]


def _judged(
    home: Path, judged: Path, paths: Sequence[Path], *, gated: bool = False
) -> tuple[QuestionSet, list[Run]]:
    """Read the set and the searches and judge them; notes what cannot be measured.

    A run that asked other questions is noted too; where runs are `gated`, it is an error.
    """
    from eval import gates, runs
    from eval import questions as sets

    asked = sets.load_judged(judged)
    loaded = [runs.load(path) for path in paths]
    if gated:
        gates.require_same(asked, judged, *loaded)
    note(sets.gaps(asked))
    for each in loaded:
        if not runs.is_of(each, asked):
            note([f"{each.name} asked other questions than {judged} holds."])
        if missing := runs.without_results(each, asked):
            verb = "has" if missing == 1 else "have"
            total = len(asked.relevant)
            note([f"{missing:,} of {total:,} questions {verb} no result in {each.name}."])
    texts = _looked_up(home, "body")
    return asked, [runs.judge(asked, each, texts) for each in loaded]


def _looked_up(home: Path, name: str) -> TextsOf | None:
    """Return a look-up of one field of the home's articles, or None without an archive."""
    from index.archive import FILE_NAME

    if not (home / FILE_NAME).exists():
        return None

    def of(ids: Sequence[str]) -> Mapping[str, str]:
        with open_archive(home) as archive:
            found = archive.articles(list(dict.fromkeys(ids)))
        return {article.id: str(getattr(article, name) or "") for article, _ in found}

    return of


def _are_answers(paths: Sequence[Path]) -> bool:
    """Tell whether all paths are folders of answers; raises InputError if only some are."""
    from eval import runs

    ours = [runs.is_answers(path) for path in paths]
    if any(ours) and not all(ours):
        other = paths[ours.index(False)]
        raise InputError(f"{other} holds no answers: name folders that `tanya eval answers` wrote.")
    return all(ours)


_BEGINNINGS = (b"<!doctype html", b"<html")


def _require_page(out: Path) -> None:
    """Raise InputError if a report in `out` would overwrite something that is no page."""
    hint = "the first argument is the HTML file to write"
    if out.is_dir():
        raise InputError(f"{out} is a folder: {hint}.")
    if out.exists() and not _is_page(out):
        raise InputError(f"{out} is there already and is no HTML file: {hint}.")


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(200).lstrip().lower()
    return head.startswith(_BEGINNINGS) or (not head and path.suffix.lower() == ".html")


# Benchmarks --------------------------------------------------------------------------------------


@measures.command("bench")
def bench(
    sizes: Annotated[
        str, typer.Option(metavar="N,N,...", help="Archives of so many passages.")
    ] = "10000,100000,1000000",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Take articles from here; else they are made up.",
            exists=True,
            file_okay=False,
            resolve_path=True,
        ),
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

    With --data, files named articles.jsonl or articles.jsonl.gz below FOLDER are read; where they
    run out, sentences of forty articles at a time are mixed into new ones. A stopped bench goes on,
    given the same --out. A million passages take about an hour and 10 GB of disk.

    Example: tanya eval bench --sizes 10000,100000 --out bench --peer txtai=envs/txtai/bin/python
    """
    from eval import bench as benches

    with ExitStack() as stack:
        progress = stack.enter_context(bar("Measuring"))
        task = progress.add_task("", total=None)

        def update(label: str, done: int, total: int) -> None:
            progress.update(task, description=label, completed=done, total=total)

        folder = (out or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        others = _peers(peers or [])
        plan = benches.Plan(_sizes(sizes), folder, data, questions, others, seed, keep)
        try:
            table = benches.run(plan, dt.datetime.now(dt.UTC), update)
        except KeyboardInterrupt:
            progress.stop()
            goes_on = f" Run it again with --out {out} to go on." if out else ""
            typer.echo(f"Stopped.{goes_on}", err=True)
            raise typer.Exit(1) from None
    _show_markdown(table)


def _sizes(given: str) -> tuple[int, ...]:
    try:
        sizes = sorted(int(size) for size in given.split(","))
    except ValueError:
        sizes = []
    if not sizes or sizes[0] < 100 or len(set(sizes)) < len(sizes):
        raise typer.BadParameter(
            f"--sizes is {given!r} but must be different numbers of passages, each 100 or more, "
            "as in 10000,100000."
        )
    return tuple(sizes)


def _peers(given: Sequence[str]) -> dict[str, Path]:
    from eval.bench_peers import OURS, PEERS

    named = {}
    for each in given:
        name, _, python = each.partition("=")
        # Not resolved: a link to Python tells by its own place which environment is meant.
        path = Path(python).expanduser().absolute()
        if name not in PEERS or name == OURS or not python:
            known = ", ".join(peer for peer in PEERS if peer != OURS)
            raise typer.BadParameter(
                f"--peer is {each!r} but must be NAME=PYTHON with one of {known}."
            )
        if path.is_dir() or not os.access(path, os.X_OK):
            raise typer.BadParameter(
                f"--peer: there is no Python in {python!r}; make an environment with "
                f"{PEERS[name][1]} and name its bin/python."
            )
        named[name] = path
    return named


def _show_markdown(page: str) -> None:
    """Print a page laid out for a terminal, or as it is where nobody looks on."""
    if not sys.stdout.isatty():
        typer.echo(page)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(page))
