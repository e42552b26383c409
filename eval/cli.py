"""The `tanya` command, last part: evaluation; and the entry point of all of it."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval import answer_cli, bench_cli
from eval.answer_cli import note
from eval.files import counted, written_whole
from eval.tuning_cli import tune
from index.cli import bar, open_archive, run, shown
from index.errors import GateError
from qa.cli import app

if TYPE_CHECKING:
    from eval.datasets import QuestionSet
    from eval.runs import Measured, TextsOf

measures = typer.Typer(
    help="Measure retrieval and answers: question sets, runs, comparisons, reports, gates.",
    no_args_is_help=True,
)
app.add_typer(measures, name="eval")
app.command()(tune)
measures.command("answers")(answer_cli.ask_set)
measures.command("bench")(bench_cli.bench)

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
    typer.Argument(metavar=name, help=told)
    for name, told in (
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
    from eval import datasets, imports

    if source.is_file() and qrels is None:
        raise typer.BadParameter(
            f"{source} is one file of topics: give its judgements with --qrels FILE."
        )
    datasets.make_room(out, replace=replace)
    count = imports.import_set(source, out, prefix=prefix, split=split, qrels=qrels)
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
    from eval import datasets, known_items

    datasets.make_room(out, replace=replace)
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
    (out / datasets.CORPUS).unlink(missing_ok=True)
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
    from eval import datasets, written

    if name not in written.SETS:
        raise typer.BadParameter(f"There is no set {name!r}: name {', '.join(written.SETS)}.")
    datasets.make_room(out, replace=replace)
    with open_archive(context.obj, must_exist=True) as archive:
        count = written.make(archive, name, out)
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

    A question's own filter holds; a follow-up is searched as it was typed.

    Example: tanya eval run sets/known --mode lexical --out runs/lexical
    """
    from eval import datasets, provenance, runs
    from qa.chat import Chat

    if mode not in ("", *runs.MODES):
        raise typer.BadParameter(f"--mode is {mode!r} but must be one of {', '.join(runs.MODES)}.")
    found = datasets.load(folder)
    asked = found.questions
    chat = Chat.open(context.obj)
    with open_archive(context.obj, must_exist=True) as archive:
        note(datasets.gaps(found, archive.present(found.wanted())))
    with runs.written_whole(out, replace=replace) as writing, bar("Searching") as progress:
        task = progress.add_task("questions", total=len(asked))
        index = chat.index()
        outcomes = runs.execute(
            asked,
            runs.searcher(chat, k, mode, index),
            lambda done, total: progress.update(task, completed=done),
        )
        about = provenance.Asked(
            folder.resolve().name, str(folder.resolve()), datasets.fingerprint(asked), len(asked)
        )
        retrieval = chat.settings.retrieval
        made = provenance.describe(
            about, index.version, retrieval, mode, k, dt.datetime.now(dt.UTC)
        )
        runs.write(writing, runs.made(out.name, outcomes, made))
    number = counted(len(asked), "question")
    typer.echo(f"{number} searched on version {made.version}, run in {out}")
    typer.echo(f"Next: tanya eval score {folder} {out}")


@measures.command()
def score(
    context: typer.Context,
    judged: Set,
    paths: Annotated[list[Path], typer.Argument(metavar="RUN...", help=RUNS_HELP)],
    as_json: AsJson = False,
) -> None:
    """Score runs, a line each: recall, reciprocal rank, nDCG, answers in the text, milliseconds.

    ans@1 and ans@5: a gold answer stands in the best passage of the first, of one of the first five
    articles. For a TREC run of another program it is sought in the home's archived articles (*).

    Example: tanya eval score sets/facqa runs/hybrid runs/lexical bm25.trec
    """
    from eval import tables

    asked, measured = _measure(context.obj, judged, paths)
    if as_json:
        typer.echo(json.dumps(tables.rows_of(measured), ensure_ascii=False))
        return
    for line in tables.score_lines(measured, asked):
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
    from dataclasses import asdict

    from eval import runs, scores, tables

    two = (judged, a) if b is None else (a, b)
    if answer_cli.are_folders(two):
        answer_cli.compare(*two, show, as_json)
        return
    if b is None:
        raise typer.BadParameter(NEEDS_SET)
    asked, (of_a, of_b) = _measure(context.obj, judged, [a, b])
    note([runs.unevenness(of_a.run, of_b.run)])
    comparisons = scores.compare(*runs.comparable(of_a, of_b))
    moved = scores.moved(asked.relevant, of_a.run.ranked, of_b.run.ranked)
    titles = _looked_up(context.obj, "title")
    rows = tables.moved_rows(moved[:show], asked, of_a.run, of_b.run, titles)
    if as_json:
        told = {
            "a": of_a.run.name,
            "b": of_b.run.name,
            "questions": len(asked.relevant),
            "measures": [asdict(c) for c in comparisons],
            "moved": rows,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    judged_questions = counted(len(asked.relevant), "judged question")
    typer.echo(f"A {of_a.run.name} · B {of_b.run.name} · {judged_questions}")
    for line in tables.compare_lines(comparisons):
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
    from eval import reports, runs

    paths = paths or []
    if not paths and answer_cli.are_folders([out]):
        answer_cli.report(out / "report.html", [out])
        return
    if answer_cli.are_folders(paths):
        answer_cli.report(out, paths)
        return
    if not paths:
        raise typer.BadParameter("Give OUT.html and runs, or a folder of `tanya eval answers`.")
    answer_cli.require_page(out)
    if folder is None:
        folder = reports.set_of(runs.load(paths[0]))
    asked, measured = _measure(context.obj, folder, paths)
    dates = _looked_up(context.obj, "published")
    note(runs.unevenness(measured[0].run, other.run) for other in measured[1:])
    page = reports.page(folder.resolve().name, asked, measured, dates)
    with written_whole(out) as file:
        file.write(page)
    typer.echo(f"{counted(len(measured), 'run')} reported in {out}")


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
    from eval import gates, runs

    two = (judged, base) if new is None else (base, new)
    if answer_cli.are_folders(two):
        answer_cli.gate(*two, measure or (), alpha)
        return
    if new is None:
        raise typer.BadParameter(NEEDS_SET)
    for name in measure or ():
        if name not in gates.MEASURES:
            raise typer.BadParameter(answer_cli.no_measure(name, gates.MEASURES))
    asked, (of_base, of_new) = _measure(context.obj, judged, [base, new], gated=True)
    note([runs.unevenness(of_base.run, of_new.run)])
    verdicts = gates.judge(of_base, of_new, measure or (), alpha)
    for verdict in verdicts:
        typer.echo(verdict.line)
    fallen = [v.comparison.measure for v in verdicts if v.fell]
    if fallen:
        raise GateError(
            f"{', '.join(fallen)} fell significantly: see `tanya eval compare` for the questions."
        )


def _measure(
    home: Path, judged: Path, paths: Sequence[Path], *, gated: bool = False
) -> tuple[QuestionSet, list[Measured]]:
    """Read the set and the runs and score them; notes what cannot be measured.

    A run that asked other questions is noted too; where runs are `gated`, it is an error.
    """
    from eval import datasets, gates, runs

    asked = runs.judged(judged)
    loaded = [runs.load(path) for path in paths]
    if gated:
        gates.require_same(asked, judged, *loaded)
    note(datasets.gaps(asked))
    for each in loaded:
        if not runs.is_of(each, asked):
            note([f"{each.name} asked other questions than {judged} holds."])
        if missing := runs.without_results(each, asked):
            verb = "has" if missing == 1 else "have"
            total = len(asked.relevant)
            note([f"{missing:,} of {total:,} questions {verb} no result in {each.name}."])
    texts = _looked_up(home, "body")
    return asked, [runs.measure(asked, each, texts) for each in loaded]


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


def main() -> None:
    """Run `tanya` and leave with its exit status."""
    if os.environ.get("TANYA_DEBUG"):
        logging.basicConfig(level=logging.DEBUG)
    sys.exit(run(app, home_first(sys.argv[1:])))
