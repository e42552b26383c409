"""The `tanya tune` command: pairs, training, trial and verdict, in this order."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from index import settings
from index.cli import bar, open_archive
from index.errors import BusyError, InputError

if TYPE_CHECKING:
    from eval.trials import Asked, Corpus, Line
    from index.archive import Archive
    from index.embedding import StaticModel
    from index.settings import Settings

MODELS, NEW = "models", ".new"
FEWEST_ARTICLES = 200
MOST_PASSAGES = 20_000
CORES = 2

_ARTICLES_A_QUESTION = 2
_HELD_OUT = 3
"""Of so many questions one is about an article that is kept out of the training."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Job:
    """What a tuning works with: `home`'s archive and settings, and a folder for what it makes."""

    home: Path
    work: Path
    archive: Archive
    chosen: Settings
    base: StaticModel
    seed: int
    told: Told


def tune(
    context: typer.Context,
    minutes: Annotated[
        float, typer.Option(min=0.05, help="How long to train at most; the rest takes as long.")
    ] = 5.0,
    name: Annotated[
        str, typer.Option(help="Of the model's folder below models/; else made of the day.")
    ] = "",
    questions: Annotated[
        int, typer.Option(min=20, help="Questions to make of the archive for the trial, at most.")
    ] = 500,
    sets: Annotated[
        list[Path] | None,
        typer.Option("--set", metavar="SET", help="A question set of yours to try too; repeat it."),
    ] = None,
    use: Annotated[bool, typer.Option("--use", help="Write a kept model into tanya.toml.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, another training.")] = 0,
) -> None:
    """Fit the embedding model to the archive, and keep the outcome only if it finds more.

    The texts of the archive teach it: which headline, first sentence or words belong to which
    passage. Then old and new model are asked the same questions, made of the archive, the
    program's own and those of --set, over at most 20,000 passages. The new one is kept if it finds
    significantly more of the archive's own and nothing falls significantly. It runs at low
    priority on two cores; the live version stays as it is, and so does everything if you stop it.

    Example: tanya tune --minutes 5; tanya tune --use; tanya build
    """
    home = context.obj
    name = name or f"tuned-{dt.date.today():%Y%m%d}"
    if not _NAME.fullmatch(name):
        raise typer.BadParameter(f"--name is {name!r} but must be letters, digits, '.', '_', '-'.")
    _step_back()
    with (
        open_archive(home, must_exist=True) as archive,
        _workplace(home) as work,
        bar("Tuning") as progress,
    ):
        task = progress.add_task("", total=None)

        def told(stage: str, done: int, total: int) -> None:
            progress.update(task, description=stage, completed=done, total=total)

        target = _free(home / MODELS / name)
        job = _job(home, work, archive, seed, told)
        try:
            lines, corpus = _tried(job, work / target.name, minutes, questions, sets or [])
        except KeyboardInterrupt:
            progress.stop()
            typer.echo("Stopped. Nothing was changed; no model was kept.", err=True)
            raise typer.Exit(1) from None
        progress.stop()
        _print_table(lines, corpus)
        if _kept(lines):
            (work / target.name).rename(target)
            _print_use(home, target.resolve(), use)


def _job(home: Path, work: Path, archive: Archive, seed: int, told: Told) -> _Job:
    """Read what there is to tune; raises InputError where that cannot be."""
    from index.embedding import MODEL_FOLDER, read_static, static_folder

    count = archive.counts().articles
    if count < FEWEST_ARTICLES:
        raise InputError(
            f"The archive holds {count:,} articles, too few to learn from: it takes "
            f"{FEWEST_ARTICLES}. Add more with `tanya add PATH`."
        )
    chosen = settings.load(home)
    folder = static_folder(chosen.embedding)
    if folder is None:
        raise InputError(
            f"embedding.model is {chosen.embedding.model!r}: only a static model, as the bundled "
            'one is, can be tuned. Set embedding.model = "bundled" in tanya.toml.'
        )
    # What was tuned before is not tuned on, or it would drift from the language at large.
    if folder.resolve().parent == (home / MODELS).resolve():
        folder = MODEL_FOLDER
    return _Job(home, work, archive, chosen, read_static(folder), seed, told)


def _tried(
    job: _Job, model: Path, minutes: float, questions: int, sets: Sequence[Path]
) -> tuple[list[Line], Corpus]:
    """Train a model into the folder `model` and try it against the one in use."""
    from eval import trials
    from index import tuning
    from index.embedding import open_embedder

    held_out, own = _own_questions(job, questions)
    others = [trials.read_set(folder) for folder in sets]
    made = tuning.make_pairs(
        job.archive,
        job.base.tokenizer,
        max_tokens=job.chosen.chunking.max_tokens,
        without=_stories(job.archive, held_out),
        never={s for each in own for q in each.questions.questions for s in q.answers},
        seed=job.seed,
        progress=lambda done, total: job.told("reading", done, total),
    )
    if not len(made.table):
        raise InputError("The articles hold nothing to learn from: they are of single sentences.")
    began = time.monotonic()
    table = tuning.train(
        made,
        job.base.table,
        tuning.Plan(seed=job.seed),
        spent=lambda: (time.monotonic() - began) / (60 * minutes),
        progress=lambda done: job.told("training", int(1000 * done), 1000),
    )
    tuning.save(table, job.base, model)
    after = open_embedder(replace(job.chosen.embedding, model=str(model)))
    sample = trials.read_sample(job.work, dt.datetime.now(dt.UTC))
    asked = [*own, *([sample[0]] if sample else []), *others]
    corpus = trials.sample(
        job.archive,
        {
            article
            for each in asked
            for judged in each.questions.relevant.values()
            for article in judged
        },
        sample[1] if sample else [],
        max_tokens=job.chosen.chunking.max_tokens,
        most=MOST_PASSAGES,
        seed=job.seed,
        progress=lambda done, total: job.told("cutting", done, total),
    )
    before = open_embedder(job.chosen.embedding)
    lines = trials.run(asked, corpus, (before, after), job.work, job.chosen, progress=job.told)
    return lines, corpus


def _own_questions(job: _Job, most: int) -> tuple[set[str], list[Asked]]:
    """Make questions of the archive: of articles that are kept out of the training, and of others.

    Returns the ids of the former articles and both sets.
    """
    from eval import datasets, known_items, trials

    count = job.archive.counts().articles
    folder = job.work / "questions"
    known_items.make(
        job.archive,
        folder,
        questions=min(most, count // _ARTICLES_A_QUESTION),
        seed=job.seed,
        progress=lambda done, total: job.told("questions", done, total),
    )
    held_out, learned = trials.parted(datasets.load(folder), _HELD_OUT)
    away = {article for judged in held_out.relevant.values() for article in judged}
    return away, [
        trials.Asked("learned", learned, own=True),
        trials.Asked("held out", held_out, own=True),
    ]


def _stories(archive: Archive, article_ids: set[str]) -> set[str]:
    return {article.story_id for article, _ in archive.articles(sorted(article_ids))}


# Printing ----------------------------------------------------------------------------------------


def _print_table(lines: Sequence[Line], corpus: Corpus) -> None:
    what = "all" if corpus.whole else "a sample"
    typer.echo(
        f"Asked over {len(corpus.passages):,} passages of {len(corpus.entries):,} articles, "
        f"{what} of the archive:"
    )
    typer.echo(
        f"{'questions':<15}{'search':<8}{'measure':<8}{'before':>7}{'after':>8}{'change':>9}"
        "  95% interval        p"
    )
    for line in lines:
        c = line.verdict.comparison
        shown = f"{line.asked.name[:9]} {len(line.asked.questions.questions)}"
        mark = "  FELL" if line.verdict.fell else "  rose" if line.rose else ""
        typer.echo(
            f"{shown:<15}{line.mode:<8}{c.measure:<8}{c.a:>7.4f}{c.b:>8.4f}{c.b - c.a:>+9.4f}"
            f"  [{c.low:+.4f}, {c.high:+.4f}]  {c.p:.4f}{mark}"
        )


def _kept(lines: Sequence[Line]) -> bool:
    """Tell the verdict and whether it is to keep the model."""
    from eval import trials

    fell = [line for line in lines if line.verdict.fell]
    if fell:
        worst = fell[0]
        typer.echo(
            f"not kept: it finds significantly less ({worst.verdict.comparison.measure} of "
            f"{worst.asked.name!r}, {worst.mode}). The model in use stays."
        )
        return False
    if not trials.better(lines):
        typer.echo(
            "not kept: it finds no more of the archive than chance would. The model in use stays."
        )
        return False
    return True


def _print_use(home: Path, target: Path, use: bool) -> None:
    from index import settings_file

    typer.echo(f"kept: {target}")
    if use:
        settings_file.change(home, "embedding", "model", str(target))
        typer.echo(
            f"embedding.model in {home / settings.FILE_NAME} names it. Run `tanya build` now, and "
            "then start the chat anew: until then it is refused to search by vectors."
        )
        return
    typer.echo(
        f'To use it, put model = "{target}" under [embedding] in {home / settings.FILE_NAME}, '
        "then run `tanya build` and start the chat anew."
    )


# The place to work -------------------------------------------------------------------------------


def _step_back() -> None:
    """Leave the machine to others: low priority, and no more than two cores."""
    os.nice(10)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:CORES])


@contextmanager
def _workplace(home: Path) -> Iterator[Path]:
    """Give an empty folder below models/ that is gone afterwards; raises BusyError."""
    models = home / MODELS
    models.mkdir(exist_ok=True)
    with (models / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError("Another `tanya tune` is at work here; wait until it ends.") from error
        work = models / NEW
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _free(path: Path) -> Path:
    """Return the path, or one with a number that is not taken."""
    number = 2
    free = path
    while free.exists():
        free = path.with_name(f"{path.name}-{number}")
        number += 1
    return free
