"""The `tanya eval answers` command, and what other commands do with its folders."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.files import counted, written_whole
from index.cli import bar, open_archive, shown
from index.errors import GateError, InputError

if TYPE_CHECKING:
    from eval.answers import Folder, Made, Row
    from eval.datasets import Relevant
    from eval.scores import Comparison


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
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask every question of a set by the chat, and measure the answers against gold strings.

    Right is an answer that shows a gold string. What the chat declines is judged too, by what it
    held back, so that its confidence can be measured; follow-ups are told apart. Stop it when you
    like: the same command goes on where it stopped.

    Example: tanya eval answers sets/facqa --out runs/answers; tanya eval report runs/answers
    """
    from eval import answer_compare, answer_tables, answers
    from qa.chat import Chat
    from qa.cli import turn_row

    asked = answers.read(folder, conversations, limit)
    relevant = answers.relevant_of(folder)
    chat = Chat.open(context.obj)
    made = answers.describe(chat, asked, folder, conversations, dt.datetime.now(dt.UTC))
    note(_gaps(context.obj, folder, relevant))
    version = made.provenance.version
    with _kept(out, made, replace) as (rows, put), bar("Asking") as progress:
        task = progress.add_task("questions", total=len(asked), completed=len(rows))
        try:
            for row in answers.ask(chat, asked, relevant, version, turn_row, set(rows)):
                put(row)
                rows[row["id"]] = row
                progress.advance(task)
        except KeyboardInterrupt:
            raise typer.Exit(_stopped(out, len(rows), len(asked))) from None
    found = answer_compare.summary(list(answers.replies(rows.values())))
    if out is not None:
        answers.finish(out, answer_tables.as_json(found))
    if as_json:
        typer.echo(json.dumps(answer_tables.as_json(found), ensure_ascii=False))
        return
    threshold = chat.settings.answers.min_confidence
    for line in answer_tables.score_lines(found, version, threshold):
        typer.echo(line)
    if out is not None:
        typer.echo(f"Next: tanya eval report {out}")


@contextmanager
def _kept(out: Path | None, made: Made, replace: bool) -> Iterator[tuple[dict[str, Row], Any]]:
    """Open the folder of answers, or keep them in memory only."""
    from eval import answers

    if out is None:
        yield {}, lambda row: None
        return
    with answers.kept(out, made, again=replace) as (rows, put):
        if rows:
            are = "is" if len(rows) == 1 else "are"
            typer.echo(f"{counted(len(rows), 'answer')} {are} there already; going on.", err=True)
        yield rows, put


def _stopped(out: Path | None, done: int, of: int) -> int:
    kept = "run the same command again to go on" if out else "nothing is kept without --out"
    typer.echo(f"Stopped: {done:,} of {of:,} questions are answered; {kept}.", err=True)
    return 1


def note(remarks: Iterable[str]) -> None:
    """Print remarks on standard error; empty ones are left out."""
    for remark in filter(None, remarks):
        typer.echo(f"Note: {remark}", err=True)


def _gaps(home: Path, folder: Path, relevant: Relevant) -> list[str]:
    """Return which judgements say nothing of this archive; answers are measured without them."""
    from eval import datasets

    if not relevant:
        return []
    found = datasets.QuestionSet(datasets.read_questions(folder / datasets.QUERIES), relevant)
    try:
        datasets.require_use(found, folder / datasets.QRELS)
        with open_archive(home, must_exist=True) as archive:
            return datasets.gaps(found, archive.present(found.wanted()))
    except InputError as error:
        return [f"{error} Measured are only gold strings."]


# Folders of answers ------------------------------------------------------------------------------


def are_folders(paths: Sequence[Path]) -> bool:
    """Tell whether all paths are folders of answers; raises InputError if only some are."""
    from eval import answers

    ours = [answers.is_folder(path) for path in paths]
    if any(ours) and not all(ours):
        other = paths[ours.index(False)]
        raise InputError(f"{other} holds no answers: name folders that `tanya eval answers` wrote.")
    return bool(ours) and all(ours)


def compare(a: Path, b: Path, show: int, as_json: bool) -> None:
    """Print how the answers in folder B differ from those in A."""
    from dataclasses import asdict

    from eval import answer_compare, answer_tables, answers

    of_a, of_b = answers.load(a), answers.load(b)
    pairs = _pairs(of_a, of_b)
    comparisons = answer_compare.compare(pairs)
    moved = answer_compare.moved(pairs)
    if as_json:
        told = {
            "a": of_a.name,
            "b": of_b.name,
            "questions": len(pairs),
            "measures": [asdict(c) for c in comparisons],
            "moved": answer_tables.moved_rows(moved[:show]),
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"A {of_a.name} · B {of_b.name} · {counted(len(pairs), 'question')}")
    for line in answer_tables.compare_lines(comparisons):
        typer.echo(line)
    if moved[:show]:
        typer.echo(f"\n{counted(len(moved), 'question')} moved; + is right, then the confidence:")
        for line in answer_tables.moved_lines(moved[:show], shown):
            typer.echo(line)


def _pairs(a: Folder, b: Folder) -> list[Any]:
    """Return the questions that both folders asked; warns of others, raises if there are none."""
    from eval import answer_compare

    pairs = answer_compare.paired(a.replies, b.replies)
    if not pairs:
        raise InputError(f"{a.name} and {b.name} have no question in common.")
    if len(pairs) < max(len(a.replies), len(b.replies)):
        note([f"compared are the {len(pairs):,} questions that both asked."])
    return pairs


def gate(base: Path, new: Path, measures: Sequence[str], alpha: float) -> None:
    """Raise GateError if answers got significantly worse."""
    from eval import answer_compare, answers
    from eval.gates import Verdict

    of_base, of_new = answers.load(base), answers.load(new)
    if of_base.made.provenance.set_hash != of_new.made.provenance.set_hash:
        raise InputError(f"{base} and {new} asked other questions: make both of one set.")
    pairs = _pairs(of_base, of_new)
    found: list[Comparison] = answer_compare.compare(pairs)
    names = [c.measure for c in found]
    for name in measures:
        if name not in names:
            raise typer.BadParameter(no_measure(name, names))
    verdicts = [Verdict(c, c.fell(alpha)) for c in found if not measures or c.measure in measures]
    for verdict in verdicts:
        typer.echo(verdict.line)
    fallen = [v.comparison.measure for v in verdicts if v.fell]
    if fallen:
        raise GateError(
            f"{', '.join(fallen)} fell significantly: see `tanya eval compare {base} {new}`."
        )


def no_measure(name: str, known: Sequence[str]) -> str:
    """Say that there is no such measure."""
    return f"There is no measure {name!r} here: choose from {', '.join(known)}."


_BEGINNINGS = (b"<!doctype html", b"<html")


def require_page(out: Path) -> None:
    """Raise InputError if a report in `out` would overwrite something that is no page."""
    told = "the first argument is the HTML file to write"
    if out.is_dir():
        raise InputError(f"{out} is a folder: {told}.")
    if out.exists() and not _is_page(out):
        raise InputError(f"{out} is there already and is no HTML file: {told}.")


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(200).lstrip().lower()
    return head.startswith(_BEGINNINGS) or (not head and path.suffix.lower() == ".html")


def report(out: Path, paths: Sequence[Path]) -> None:
    """Write the report of folders of answers."""
    from eval import answer_reports, answers

    require_page(out)
    page = answer_reports.page([answers.load(path) for path in paths])
    with written_whole(out) as file:
        file.write(page)
    folders = "folder of answers" if len(paths) == 1 else "folders of answers"
    typer.echo(f"{len(paths)} {folders} reported in {out}")
