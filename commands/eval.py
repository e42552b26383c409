"""Evaluation: question sets, runs, answers, comparisons, reports, gates, benchmarks."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import AsJson, bar, echo_json, say, shown, stopped, usage
from index.errors import GateError
from index.files import temporary_prefix, written_whole
from index.settings import MODES
from index.text import counted

if TYPE_CHECKING:
    from eval.questions import Question
    from eval.runs import Ask, Kept

measures = typer.Typer(
    help="Measure retrieval and answers: question sets, runs, comparisons, reports, gates.",
    no_args_is_help=True,
)

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the question set to write.")]
Folder = Annotated[Path, typer.Argument(metavar="SET", help="Folder of a question set.")]
RUNS = "Folders that `tanya eval run` wrote, or TREC runs of any program."
Two = Annotated[
    list[Path],
    typer.Argument(
        metavar="[SET] A B",
        help="A question set and two runs, folders or TREC runs of any program; or two folders "
        "that `tanya eval answers` wrote alone.",
    ),
]
Replace = Annotated[bool, typer.Option("--replace", help="Let what is there already give way.")]


def note(remark: str) -> None:
    """Print a remark on the figures on standard error."""
    typer.echo(f"Note: {remark}", err=True)


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
    replace: Replace = False,
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
    say(f"{counted(count, 'question')} written to {out}")


@measures.command("make")
def make_set(
    context: typer.Context,
    out: Out,
    questions: Annotated[int, typer.Option(min=1, help="How many questions at most.")] = 500,
    seed: Annotated[int, typer.Option(help="Another seed makes other questions.")] = 0,
    replace: Replace = False,
) -> None:
    """Make a question set of what people might ask of the home's own articles.

    who, when, where, howmany, quote, why: of one sentence, shortened and partly in other words;
    headline: whether it is so; paraphrase: in other words; typo: typed in haste; dated: in short,
    within the month of its article. Relevant are the article and its whole story. Some are also
    conversations of two turns, for `tanya eval answers`. The set holds sentences of the articles.

    Example: tanya eval make sets/made --questions 500; tanya eval run sets/made --out runs/made
    """
    from eval import making
    from eval import questions as sets
    from index.home import open_archive

    sets.make_room(out, replace=replace)
    with open_archive(context.obj) as archive, bar("Reading") as progress:
        task = progress.add_task("articles", total=None)
        count = making.make(
            archive,
            out,
            questions=questions,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    # Its articles are the archive's own: a corpus there is that of the set before.
    (out / sets.CORPUS).unlink(missing_ok=True)
    say(f"{counted(count, 'question')} written to {out}")
    if count < questions:
        typer.echo(f"The archive gave no more than that; asked for were {questions:,}.", err=True)


@measures.command("collect")
def collect_set(
    context: typer.Context,
    out: Out,
    judged: Annotated[
        bool, typer.Option("--judged", help="Only questions of which somebody said something.")
    ] = False,
    replace: Replace = False,
) -> None:
    """Make a question set of what people asked the chat, and what they said of its answers.

    An answer called right is right, and its articles relevant; of one called wrong, the answer and
    the article that the person named. All others have no label: they count in coverage alone. The
    set names nobody; the questions are as people typed them.

    Example: tanya eval collect sets/asked; tanya eval answers sets/asked --out runs/asked
    """
    from eval import collecting
    from eval import questions as sets
    from index import settings
    from index.home import open_archive
    from qa.history import History

    sets.make_room(out, replace=replace)
    history = History.of(context.obj, keep=settings.load(context.obj).chat.keep)
    with open_archive(context.obj) as archive:
        made = collecting.collect(history.all_turns(), archive, out, judged_only=judged)
    (out / sets.CORPUS).unlink(missing_ok=True)
    for remark in made.notes:
        note(shown(remark))
    say(f"{counted(made.questions, 'question')} written to {out}:")
    for number, what in (
        (made.right, "with an answer that was called right"),
        (made.corrected, "with the answer that a person gave"),
        (made.unanswerable, "rightly not answered"),
        (made.unlabelled, "without a label"),
        (made.repeated, "asked again, left out"),
    ):
        if number:
            typer.echo(f"  {number:>6,}  {what}")
    if not made.right + made.corrected:
        typer.echo("No answer is known yet: `tanya eval answers` needs one.", err=True)


@measures.command("written")
def written_set(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SET", help="One of the sets below.")],
    out: Out,
    replace: Replace = False,
) -> None:
    """Write out a set that was written for this project, with the answers of the home's archive.

    conversations, conversations-held-out, newest, missing: over the openly licensed news of the
    development data, which must be in the archive.

    Example: tanya eval written newest sets/new; tanya eval answers sets/new --out runs/new
    """
    from eval import questions as sets
    from index.home import open_archive

    if name not in sets.WRITTEN_SETS:
        raise typer.BadParameter(f"There is no set {name!r}: name {', '.join(sets.WRITTEN_SETS)}.")
    sets.make_room(out, replace=replace)
    with open_archive(context.obj) as archive:
        count = sets.write_out(archive, name, out)
    say(f"{counted(count, 'question')} written to {out}")


@measures.command("run")
def run_set(
    context: typer.Context,
    folder: Folder,
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder of the run to write.")],
    mode: Annotated[str, typer.Option(help="hybrid, lexical or dense; else the settings'.")] = "",
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many articles.")] = 100,
    replace: Replace = False,
) -> None:
    """Search for every question of a set, as `tanya search` does, and keep all that is measured.

    A question's own filter holds; a follow-up is searched as it was typed. Stop it when you like:
    the same command goes on where it stopped.

    Example: tanya eval run sets/known --mode lexical --out runs/lexical
    """
    from eval import opening, provenance, runs
    from eval import questions as sets
    from qa.chat import Chat

    if mode not in ("", *MODES):
        raise typer.BadParameter(f"--mode is {mode!r} but must be one of {', '.join(MODES)}.")
    found = sets.load(folder)
    chat = Chat.open(context.obj)
    for gap in opening.gaps(chat.home, found):
        note(gap)
    index, now = chat.index(), dt.datetime.now(dt.UTC)
    retrieval = chat.settings.retrieval
    about = provenance.describe(folder, found.questions, index.version, retrieval, mode, k, now)
    with runs.kept(out, about, again=replace) as kept:
        _ask_all(found.questions, runs.searching(chat, k, mode, index), kept, "Searching", out)
        used = str(about.retrieval["mode"])
        in_order = ((q.id, kept.rows[q.id]["ranked"]) for q in found.questions)
        kept.finish("".join(runs.trec_lines(*each, used) for each in in_order))
    number = counted(len(found.questions), "question")
    say(f"{number} searched on version {about.version}, run in {out}")
    say(f"Next: tanya eval score {folder} {out}")


@measures.command("answers")
def ask_set(
    context: typer.Context,
    folder: Folder,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to keep the answers in; else only the table."),
    ] = None,
    conversations: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Conversations; else the set's own conversations.jsonl."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many of each file.")] = 0,
    replace: Replace = False,
    as_json: AsJson = False,
) -> None:
    """Ask every question of a set by the chat, and measure the answers against gold strings.

    Right is an answer that shows a gold string. What the chat declines is judged too, by what it
    held back, so that its confidence can be measured; follow-ups are measured apart. Stop it when
    you like: the same command goes on where it stopped.

    Example: tanya eval answers sets/facqa --out runs/answers; tanya eval report runs/answers
    """
    from eval import compare, opening, provenance, runs, tables
    from eval import questions as sets
    from qa.chat import Chat
    from qa.interface import turn_row

    asked = sets.load_asked(folder, conversations, limit)
    relevant = sets.relevant_of(folder)
    chat = Chat.open(context.obj)
    about = provenance.describe_answers(chat, folder, asked, conversations, dt.datetime.now(dt.UTC))
    for gap in opening.gaps_of_answers(chat.home, folder, relevant):
        note(gap)
    ask = runs.answering(chat, asked, relevant, about.version, turn_row)
    with runs.kept(out, about, again=replace) as kept:
        _ask_all(asked, ask, kept, "Asking", out)
        run = runs.answers_run("", kept.rows.values(), about)
        found = compare.summarise(run)
        kept.finish(json.dumps(asdict(found), ensure_ascii=False, indent=1) + "\n")
    if as_json:
        echo_json(asdict(found))
        return
    typer.echo("\n".join(tables.answer_lines(found, about.version, run.threshold)))
    if out is not None:
        say(f"Next: tanya eval report {out}")


def _ask_all(asked: Sequence[Question], ask: Ask, kept: Kept, label: str, out: Path | None) -> None:
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
            again = "run the same command again to go on"
            typer.echo(
                f"Stopped: {len(kept.rows):,} of {len(asked):,} questions are asked; "
                f"{again if out else 'nothing is kept without --out'}.",
                err=True,
            )
            raise typer.Exit(1) from None


# Measuring runs ----------------------------------------------------------------------------------


@measures.command()
def score(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="SET", help="A question set, or a file of judgements.")
    ],
    paths: Annotated[list[Path], typer.Argument(metavar="RUN...", help=RUNS)],
    as_json: AsJson = False,
) -> None:
    """Score runs, a line each: recall, reciprocal rank, nDCG, answers in the text, milliseconds.

    ans@1 and ans@5: a gold answer stands in the best passage of the first, of one of the first five
    articles. For a TREC run of another program it is looked for in the home's archived articles
    (*). Tied scores are ordered as trec_eval does, by falling id. Where a set tells kinds of
    questions, each has a line.

    Example: tanya eval score sets/facqa runs/hybrid runs/lexical bm25.trec
    """
    from eval import opening, tables

    asked, runs = opening.judged(context.obj, folder, paths, note)
    if as_json:
        echo_json([tables.search_row(run) for run in runs])
    else:
        typer.echo("\n".join([*tables.search_lines(runs, asked), *tables.kind_lines(runs, asked)]))


@measures.command()
def compare(
    context: typer.Context,
    paths: Two,
    show: Annotated[int, typer.Option(min=0, help="How many questions that moved.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare run B with run A: difference, 95% interval, paired randomisation test.

    Then the questions that moved most, with the rank of the first relevant article in A and B and
    what each found first. Two folders of `tanya eval answers` are compared without the set.

    Example: tanya eval compare sets/facqa runs/before runs/after

    Example: tanya eval compare runs/answers-before runs/answers-after
    """
    from eval import compare, opening, tables

    _require_two(paths)
    a, b = opening.two(context.obj, paths, note)
    comparisons, moved = compare.compare(a, b), compare.moved(a, b)
    rows = tables.moved_rows(moved[:show], a, b, opening.field_of(context.obj, "title"))
    questions = len(compare.paired(a, b))
    if as_json:
        found = {
            "a": a.name,
            "b": b.name,
            "questions": questions,
            "measures": [asdict(c) for c in comparisons],
            "moved": rows,
        }
        echo_json(found)
        return
    noun = "question" if a.of_answers else "judged question"
    lines = [f"A {a.name} · B {b.name} · {counted(questions, noun)}"]
    lines += tables.compare_lines(comparisons, of_answers=a.of_answers)
    lines += tables.moved_lines(rows, len(moved), shown)
    typer.echo("\n".join(lines))


def _require_two(paths: Sequence[Path]) -> bool:
    """Tell whether two runs to compare are answers; raises BadParameter where a set is missing."""
    from eval import opening

    answers = len(paths) > 1 and opening.are_answers(paths[-2:])
    if len(paths) != 3 and not (answers and len(paths) == 2):
        raise typer.BadParameter(
            "Give SET and two runs, or two folders that `tanya eval answers` wrote."
        )
    return answers


@measures.command()
def report(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT.html", help="File to write.")],
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN...", help=f"{RUNS} Or answers.")
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
    from eval import opening, report

    paths = paths or []
    if not paths and opening.are_answers([out]):
        out, paths = out / "report.html", [out]
    if not paths:
        raise typer.BadParameter("Give OUT.html and runs, or a folder of `tanya eval answers`.")
    report.require_page(out)
    page = report.page(context.obj, paths, folder, note)
    with written_whole(out) as file:
        file.write(page)
    number = counted(len(paths), "run")
    if opening.are_answers(paths):
        number = f"{len(paths)} folder{'s' * (len(paths) > 1)} of answers"
    say(f"{number} reported in {out}")


@measures.command()
def gate(
    context: typer.Context,
    paths: Two,
    measure: Annotated[
        list[str] | None, typer.Option(help="Only this measure; may be repeated.")
    ] = None,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="How much chance is allowed.")] = 0.05,
) -> None:
    """Leave with status 1 if a measure of B fell significantly below A's (p < alpha), else 0.

    Each measure is tested by itself. `tanya build --gate SET` does the same before a version goes
    live. Two folders of `tanya eval answers` are tested without the set.

    Example: tanya eval gate sets/known runs/before runs/after --measure RR@10
    """
    from eval import compare, gates, opening

    known = compare.names(of_answers=_require_two(paths))
    for name in measure or ():
        if name not in known:
            raise typer.BadParameter(
                f"There is no measure {name!r} here: choose from {', '.join(known)}."
            )
    base, new = opening.two(context.obj, paths, note, same=True)
    found = gates.judge(base, new, measure or ())
    typer.echo("\n".join(gates.line(each, alpha) for each in found))
    if names := gates.fallen(found, alpha):
        raise GateError(f"{names} fell significantly: see `tanya eval compare` for the questions.")


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

    with usage("--sizes"):
        counts = benches.sizes_of(sizes)
    with usage("--peer"):
        named = benches.peers_of(peers or [])
    with ExitStack() as stack:
        progress = stack.enter_context(bar("Measuring"))
        task = progress.add_task("", total=None)

        def update(label: str, done: int, total: int) -> None:
            progress.update(task, description=label, completed=done, total=total)

        if out is None:
            beside = tempfile.TemporaryDirectory(prefix=temporary_prefix())
            folder = Path(stack.enter_context(beside)).resolve()
        else:
            folder = out.resolve()
        goes_on = f" Run it again with --out {out} to go on." if out else ""
        plan = benches.Plan(counts, folder, data, questions, named, seed, keep)
        with stopped(f"Stopped.{goes_on}"):
            table = benches.run(plan, dt.datetime.now(dt.UTC), update)
    typer.echo(table)
