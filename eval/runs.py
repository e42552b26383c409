"""Runs: what the retriever finds for a question set, on disk with all that it was made with.

run.trec          TREC run lines; the scores fall strictly, so that every reader ranks alike
run.json          provenance
questions.jsonl   a question a line: id, milliseconds, the first articles found with their passages
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval import datasets, scores
from eval.datasets import Question, QuestionSet
from eval.provenance import Code, Machine, Provenance
from eval.scores import PerQuestion
from index.errors import InputError
from index.files import unwritable
from index.records import Filter, Hit

if TYPE_CHECKING:
    from index.snapshot import SearchIndex
    from qa.chat import Chat

TREC, INFO, QUESTIONS = "run.trec", "run.json", "questions.jsonl"
MODES = ("hybrid", "lexical", "dense")
DEPTH = 100
SHOWN = 5
"""Articles of each question whose passages are kept."""

TextsOf = Callable[[Sequence[str]], Mapping[str, str]]
"""Looks up the texts of articles by id; unknown ones are left out."""


@dataclass(frozen=True, slots=True)
class Found:
    """An article found, with its best passage as offsets into the archived body."""

    article_id: str
    title: str
    publisher: str
    published: str
    passage_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question found: (article, score) best first, and the first few in full."""

    id: str
    milliseconds: float
    ranked: tuple[tuple[str, float], ...]
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """A run read from disk, or just made; one of another program has only name and `ranked`."""

    name: str
    ranked: Mapping[str, Mapping[str, float]]
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A run's values; `by_article`: whole articles, not passages, were looked into for answers."""

    run: Run
    values: PerQuestion
    by_article: bool
    median: float | None
    slow: float | None


# Making ------------------------------------------------------------------------------------------

Search = Callable[[str, Filter], list[Hit]]


def searcher(chat: Chat, k: int, mode: str, index: SearchIndex | None = None) -> Search:
    """Return the search that `tanya search` makes, on the live version or on `index`."""
    from qa.question import sources

    known = [n for n, _ in index.version.publishers] if index else chat.publishers()

    def search(asked: str, chosen: Filter) -> list[Hit]:
        if chosen.publishers:
            names = sources.resolve_publishers(chosen.publishers, known)
            chosen = replace(chosen, publishers=names)
        return chat.search(asked, k, mode=mode, chosen=chosen, index=index)

    return search


def execute(
    questions: Sequence[Question],
    search: Search,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Outcome]:
    """Search for every question, one after the other; a follow-up is searched as it was typed.

    The first question is searched once before, so that loading the model is in no figure.
    """
    outcomes = []
    for number, asked in enumerate(questions):
        if not any(map(str.isalnum, asked.text)):
            raise InputError(f"The question {asked.id!r} is empty; mend the set's queries.jsonl.")
        if number == 0:
            search(asked.text, asked.filter)
        began = time.perf_counter()
        hits = search(asked.text, asked.filter)
        taken = (time.perf_counter() - began) * 1000
        outcomes.append(_outcome(asked.id, taken, hits))
        progress(number + 1, len(questions))
    return outcomes


def _outcome(question_id: str, milliseconds: float, hits: Sequence[Hit]) -> Outcome:
    ranked: list[tuple[str, float]] = []
    for hit in hits:
        value = round(hit.score, 6)
        if ranked:
            last = ranked[-1][1]
            # trec_eval reads scores as 32-bit numbers; less of a step would be a tie there.
            value = min(value, round(last - max(1e-6, abs(last) * 1e-6), 6))
        ranked.append((hit.passage.article_id, value))
    found = tuple(
        Found(
            p.article_id,
            p.title,
            p.publisher,
            p.published.isoformat() if p.published else "",
            p.id,
            p.start,
            p.end,
            p.text,
        )
        for p in (hit.passage for hit in hits[:SHOWN])
    )
    return Outcome(question_id, round(milliseconds, 3), tuple(ranked), found)


def made(name: str, outcomes: Iterable[Outcome], provenance: Provenance | None = None) -> Run:
    """Return the outcomes as a run."""
    by_id = {outcome.id: outcome for outcome in outcomes}
    return Run(name, {i: dict(o.ranked) for i, o in by_id.items()}, by_id, provenance)


# On disk -----------------------------------------------------------------------------------------


@contextmanager
def written_whole(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write to that becomes `out` when all went well, and vanishes otherwise.

    Raises InputError if `out` is there already; with `replace`, an earlier run gives way.
    """
    ours = (out / INFO).is_file()
    if out.exists() and not (replace and ours):
        hint = "give --replace" if ours else "delete that first"
        raise InputError(f"{out} is there already: name another folder, or {hint}.")
    beside, before = (out.with_name(f".{out.name}.{end}") for end in ("part", "before"))
    for leftover in (beside, before):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
    except OSError as error:
        raise unwritable(out, error) from error
    try:
        yield beside
        if out.exists():
            out.rename(before)
        beside.rename(out)
    finally:
        for leftover in (beside, before):
            shutil.rmtree(leftover, ignore_errors=True)


def write(folder: Path, run: Run) -> None:
    """Write a run's three files into a folder that is there."""
    if run.provenance is None:
        raise ValueError("a run without provenance is not ours to write")
    tag = f"tanya-{run.provenance.retrieval['mode']}"
    with (folder / TREC).open("w", encoding="utf-8") as file:
        for outcome in run.outcomes.values():
            for rank, (article, value) in enumerate(outcome.ranked, start=1):
                file.write(f"{outcome.id} Q0 {article} {rank} {value:.6f} {tag}\n")
    with (folder / QUESTIONS).open("w", encoding="utf-8") as file:
        for outcome in run.outcomes.values():
            row = {
                "id": outcome.id,
                "milliseconds": outcome.milliseconds,
                "found": [{"rank": n, **asdict(f)} for n, f in enumerate(outcome.found, start=1)],
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    told = json.dumps(asdict(run.provenance), ensure_ascii=False, indent=1)
    (folder / INFO).write_text(told + "\n", encoding="utf-8")


def load(path: Path) -> Run:
    """Read a folder of ours, or a TREC run of any program; raises InputError."""
    if not path.exists():
        raise InputError(f"There is no run {path}.")
    if not path.is_dir():
        name = path.name.removesuffix(".gz")
        return Run(name.rpartition(".")[0] or name, scores.read_run(path))
    if not (path / INFO).is_file():
        raise InputError(f"{path} holds no run: name a folder that `tanya eval run` wrote.")
    ranked = scores.read_run(path / TREC)
    outcomes = {}
    try:
        for row in datasets.rows(path / QUESTIONS, ("id", "milliseconds", "found")):
            found = tuple(Found(**_without_rank(article)) for article in row["found"])
            best = tuple(ranked.get(row["id"], {}).items())
            outcomes[row["id"]] = Outcome(row["id"], float(row["milliseconds"]), best, found)
        told = json.loads((path / INFO).read_text(encoding="utf-8"))
        parts = {"code": Code(**told["code"]), "machine": Machine(**told["machine"])}
        provenance = Provenance(**{**told, **parts})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} is no run of this program ({error}): run `tanya eval run` again."
        ) from error
    return Run(path.resolve().name, ranked, outcomes, provenance)


def _without_rank(article: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in article.items() if name != "rank"}


# Measuring ---------------------------------------------------------------------------------------


def judged(path: Path) -> QuestionSet:
    """Read a question set, or a file of judgements; beside it the set's questions if they are."""
    if path.is_dir():
        return datasets.load(path)
    if path.name == datasets.QRELS and (path.parent / datasets.QUERIES).is_file():
        return datasets.load(path.parent)
    if not path.exists():
        raise InputError(f"There is no question set {path}.")
    found = QuestionSet((), datasets.read_qrels(path))
    datasets.require_use(found, path)
    return found


def measure(asked: QuestionSet, run: Run, texts_of: TextsOf | None = None) -> Measured:
    """Score a run; answers are sought in its passages, else in the articles that `texts_of` has."""
    values = scores.score(asked.relevant, run.ranked)
    gold = {question.id: question.answers for question in asked.questions}
    by_article = False
    if any(gold.get(question) for question in asked.relevant):
        texts = {i: [f.text for f in o.found] for i, o in run.outcomes.items()}
        if not run.outcomes and texts_of:
            texts = _article_texts(asked, run, texts_of)
            by_article = bool(texts)
        if texts:
            values.update(scores.score_answers(asked.relevant, gold, texts))
    times = [outcome.milliseconds for outcome in run.outcomes.values()]
    median, slow = np.percentile(times, [50, 95]).tolist() if times else (None, None)
    return Measured(run, values, by_article, median, slow)


def _article_texts(asked: QuestionSet, run: Run, texts_of: TextsOf) -> dict[str, list[str]]:
    """Return the texts of each question's first articles; nothing if no article is known."""
    depth = max(scores.ANSWERS.values())
    first = {q: scores.ranking(run.ranked.get(q, {}))[:depth] for q in asked.relevant}
    known = texts_of(list(dict.fromkeys(a for articles in first.values() for a in articles)))
    if not known:
        return {}
    return {q: [known.get(a, "") for a in articles] for q, articles in first.items()}


def comparable(a: Measured, b: Measured) -> tuple[PerQuestion, PerQuestion]:
    """Return the values of two runs that may be compared.

    Answers in passages cannot be compared with answers in whole articles.
    """
    if a.by_article == b.by_article:
        return a.values, b.values
    of_a, of_b = (
        {name: values for name, values in each.values.items() if name not in scores.ANSWERS}
        for each in (a, b)
    )
    return of_a, of_b


def is_of(run: Run, asked: QuestionSet) -> bool:
    """Tell whether a run asked these questions; one of another program is taken at its word."""
    if run.provenance is None or not asked.questions:
        return True
    return run.provenance.set_hash == datasets.fingerprint(asked.questions)


def without_results(run: Run, asked: QuestionSet) -> int:
    """Return how many judged questions have no result in a run; raises InputError if none has."""
    found = sum(bool(run.ranked.get(question)) for question in asked.relevant)
    if not found:
        raise InputError(f"The run {run.name!r} has no result for any question of the set.")
    return len(asked.relevant) - found


def unevenness(a: Run, b: Run) -> str:
    """Return a remark on the measures that look deeper than one of two runs goes; "" for none."""
    depth_a, depth_b = _depth(a), _depth(b)
    shallow = min(depth_a, depth_b)
    names = [name for name in scores.MEASURES if int(name.partition("@")[2]) > shallow]
    if depth_a == depth_b or not names:
        return ""
    run, other = (a, b) if depth_a < depth_b else (b, a)
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{run.name} goes {shallow} articles deep, {other.name} {max(depth_a, depth_b)}: "
        f"{', '.join(names)} {verb} not comparable."
    )


def _depth(run: Run) -> int:
    """Return after how many articles a run was cut, at most DEPTH.

    A run of another program does not say: it was cut where most of its questions end.
    """
    lengths = [len(found) for found in run.ranked.values()]
    longest = max(lengths, default=0)
    if run.provenance is not None:
        return min(DEPTH, int(run.provenance.retrieval["k"]))
    return min(DEPTH, longest) if 2 * lengths.count(longest) > len(lengths) else DEPTH
