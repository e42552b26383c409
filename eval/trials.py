"""Trials: one embedding model against another, on questions to the operator's own archive.

Each model indexes the same articles, all of a small archive or a sample of a big one, and is asked
the same questions by the product's own search.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from eval import datasets, gates, runs
from eval.datasets import QuestionSet
from eval.gates import Verdict
from eval.runs import Measured
from index import builder, chunking, readers
from index.archive import BATCH, FILE_NAME, Archive
from index.embedding import Embedder, passage_text
from index.engine import ArticleEntry, Progress, SearchIndex
from index.local_engine import LocalEngine
from index.records import Article, Filter, Hit, Passage, Query, ReadProblem
from index.settings import Settings
from qa.retriever import Retriever

MODES = ("dense", "hybrid")
MEASURES = ("RR@10", "R@10", "R@100")
SAMPLE = Path(__file__).parent.parent / "sample"
"""The sample archive with its questions, where the program is run from its own folder."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question set by the name that it has in the table; `own` if it was made of the archive."""

    name: str
    questions: QuestionSet
    own: bool


@dataclass(frozen=True, slots=True)
class Corpus:
    """The articles that a trial searches, cut into passages."""

    entries: tuple[ArticleEntry, ...]
    passages: tuple[Passage, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A measure of one set searched in one mode: before, after, and whether it fell."""

    asked: Asked
    mode: str
    verdict: Verdict

    @property
    def rose(self) -> bool:
        """Tell whether it is better after, and by the test not by chance."""
        found = self.verdict.comparison
        return found.b > found.a and found.p < gates.ALPHA


def single_questions(found: QuestionSet) -> QuestionSet:
    """Return the judged questions that can be asked alone."""
    kept = tuple(q for q in found.questions if not q.follows and q.id in found.relevant)
    return QuestionSet(kept, {q.id: found.relevant[q.id] for q in kept})


def read_set(folder: Path) -> Asked:
    """Read a person's question set."""
    return Asked(folder.resolve().name, single_questions(datasets.load(folder)), own=False)


def parted(found: QuestionSet, every: int) -> tuple[QuestionSet, QuestionSet]:
    """Part a set's questions in two: each so many-th, and the others."""
    some = found.questions[::every]
    rest = tuple(question for question in found.questions if question not in some)
    first, second = (
        QuestionSet(part, {q.id: found.relevant[q.id] for q in part}) for part in (some, rest)
    )
    return first, second


def read_sample(work: Path, now: dt.datetime) -> tuple[Asked, list[tuple[Article, str]]] | None:
    """Return the sample's questions and articles; None where the sample is not there."""
    if not (SAMPLE / "questions").is_dir():
        return None
    found = readers.find_files([SAMPLE / "articles"])
    read = (item for file in found for item in readers.read(file))
    with Archive.open(work / FILE_NAME) as archive:
        list(archive.add((a for a in read if not isinstance(a, ReadProblem)), now))
        articles = archive.articles(sorted(archive.fingerprints()))
    questions = datasets.load(SAMPLE / "questions")
    return Asked("sample", single_questions(questions), own=False), articles


def sample(
    archive: Archive,
    needed: Set[str],
    more: Sequence[tuple[Article, str]],
    *,
    max_tokens: int,
    most: int,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Corpus:
    """Cut the `needed` articles, the ones in `more`, and then others by `seed` into passages.

    Others are added until there are `most` passages.
    """
    ids = sorted(archive.fingerprints())
    random.Random(f"sample {seed}").shuffle(ids)
    ids.sort(key=lambda article_id: article_id not in needed)
    entries: dict[str, ArticleEntry] = {}
    passages: list[Passage] = []

    def put(articles: Iterable[tuple[Article, str]]) -> None:
        for article, fingerprint in articles:
            if article.id not in entries:
                repeated = archive.repeated_lines(article.publisher)
                cut = chunking.passages(article, max_tokens=max_tokens, repeated=repeated)
                passages.extend(cut)
                entries[article.id] = ArticleEntry(
                    article.id, fingerprint, article.story_id, article.publisher, article.published
                )

    put(more)
    count = len([article_id for article_id in ids if article_id in needed])
    for begin in range(0, len(ids), BATCH):
        if begin >= count and len(passages) >= most:
            break
        put(archive.articles(ids[begin : begin + BATCH]))
        progress(min(len(passages), most), most)
    whole = entries.keys() >= set(ids)
    return Corpus(tuple(entries.values()), tuple(passages), whole)


def run(
    asked: Sequence[Asked],
    corpus: Corpus,
    models: tuple[Embedder, Embedder],
    work: Path,
    settings: Settings,
    *,
    progress: Progress = lambda stage, done, total: None,
) -> list[Line]:
    """Ask every set in every mode of both models; the second is judged by the first."""
    runs_of = []
    for when, embedder in zip(("before", "after"), models, strict=True):
        progress(f"indexing, {when}", 0, 1)
        found = build(work / when, corpus, embedder, settings)
        retriever = Retriever(settings.retrieval, lambda _, e=embedder: e, _all_there)  # type: ignore[misc]
        progress(f"indexing, {when}", 1, 1)
        runs_of.append(
            [
                _ask(each, mode, found, retriever, lambda n, of, w=when: progress(w, n, of))  # type: ignore[misc]
                for each in asked
                for mode in MODES
            ]
        )
        found.close()
    kinds = [(each, mode) for each in asked for mode in MODES]
    return [
        Line(each, mode, verdict)
        for (each, mode), before, after in zip(kinds, *runs_of, strict=True)
        for verdict in gates.judge(before, after, MEASURES)
    ]


def _all_there(articles: Sequence[str]) -> Set[str]:
    return set(articles)


def build(folder: Path, corpus: Corpus, embedder: Embedder, settings: Settings) -> SearchIndex:
    """Index the corpus in a new folder."""
    engine = LocalEngine()
    folder.mkdir()
    wanted = builder.recipe(engine.name, embedder, settings.chunking)
    writer = engine.writer(folder, None, wanted)
    try:
        vectors = embedder.embed_passages([passage_text(p) for p in corpus.passages])
        writer.put(corpus.entries, corpus.passages, vectors)
        writer.finish("000001", dt.datetime.now(dt.UTC))
    except BaseException:
        writer.abort()
        raise
    return engine.open(folder)


def _ask(
    asked: Asked,
    mode: str,
    found: SearchIndex,
    retriever: Retriever,
    progress: Callable[[int, int], None],
) -> Measured:
    """Search for every question of a set as it was typed, nothing is read."""

    def search(question: str, chosen: Filter) -> list[Hit]:
        evidence = retriever.articles(Query(question, chosen), found, runs.DEPTH, mode=mode)
        return list(evidence.hits)

    outcomes = runs.execute(asked.questions.questions, search, progress)
    return runs.measure(asked.questions, runs.made(asked.name, outcomes))


def better(lines: Sequence[Line]) -> bool:
    """Tell whether nothing fell significantly and something of the archive's own rose so."""
    fell = any(line.verdict.fell for line in lines)
    return not fell and any(line.rose for line in lines if line.asked.own)
