"""Turns question sets in other forms into folders of ours: passages with questions, BEIR, TREC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval import datasets
from eval.datasets import CORPUS, QRELS, QUERIES, Question, Relevant
from index.errors import InputError
from index.files import read_lines, written_whole


def import_set(
    source: Path, out: Path, *, prefix: str = "", split: str = "test", qrels: Path | None = None
) -> int:
    """Import whatever `source` is, by what it holds; return the number of questions.

    A folder with `{prefix}passages.jsonl.gz` is passages with questions, one with queries.jsonl is
    BEIR's; a file is TREC topics, whose judgements are in `qrels`. Raises InputError.
    """
    if not source.exists():
        raise InputError(f"There is no {source}.")
    if source.is_file():
        if qrels is None:
            raise InputError(f"{source} is one file of topics: give its judgements with --qrels.")
        return import_topics(source, qrels, out)
    if out.exists() and source.exists() and out.samefile(source):
        raise InputError(f"{source} cannot be imported into itself: name another folder.")
    if qrels is not None:
        raise InputError(f"--qrels belongs to a file of topics; {source} is none.")
    if _either(source / f"{prefix}passages.jsonl"):
        return import_passages(source, out, prefix=prefix)
    if _either(source / QUERIES):
        return import_beir(source, out, split=split)
    raise InputError(
        f"{source} holds neither {prefix}passages.jsonl.gz nor {QUERIES}: name a folder of "
        "passages and qa, a BEIR folder, or a file of TREC topics."
    )


def import_passages(source: Path, out: Path, *, prefix: str = "") -> int:
    """Turn `{prefix}passages` and `{prefix}qa` JSON lines into a set; return its questions.

    A passage becomes an article of the corpus; the answerable questions' passages are relevant.
    """
    asked = []
    relevant: Relevant = {}
    for place, row in datasets.placed_rows(
        _needed(source / f"{prefix}qa.jsonl"), ("id", "question", "passage_id")
    ):
        answerable = bool(row.get("answerable", True))
        answers = datasets.strings_in(row, "answers", place)
        text = datasets.string_in(row, "question", place)
        asked.append(Question(str(row["id"]), text, answers, answerable))
        if answerable:
            relevant[str(row["id"])] = {str(row["passage_id"]): 1}
    passages = datasets.rows(_needed(source / f"{prefix}passages.jsonl"), ("id", "text"))
    return _write(out, asked, relevant, ({**row, "_id": row["id"]} for row in passages))


def import_beir(source: Path, out: Path, *, split: str = "test") -> int:
    """Turn a BEIR folder into a set of the questions that a split judges; return their number.

    Its files may be gzipped; judgements are qrels/{split}.tsv or qrels.tsv. A corpus is taken
    along where there is one.
    """
    judged = _either(source / "qrels" / f"{split}.tsv") or _either(source / QRELS)
    if judged is None:
        raise InputError(
            f"{source} holds neither qrels/{split}.tsv nor {QRELS}: name a split with --split."
        )
    relevant = datasets.read_qrels(judged)
    asked = [
        question
        for question in datasets.read_questions(_needed(source / QUERIES))
        if question.id in relevant or not question.answerable
    ]
    corpus = _either(source / CORPUS)
    return _write(out, asked, relevant, datasets.rows(corpus, ("_id", "text")) if corpus else None)


def import_topics(topics: Path, qrels: Path, out: Path) -> int:
    """Turn TREC topics, a line of id and text with a tab between, and their qrels into a set."""
    relevant = datasets.read_qrels(qrels)
    asked = []
    for number, line in enumerate(read_lines(topics, "topics"), start=1):
        topic, tab, asked_text = line.partition("\t")
        if not line.strip():
            continue
        if not (tab and topic.strip() and asked_text.strip()):
            raise InputError(f"{topics}:{number} is no topic, id<TAB>text: {line!r}.")
        if topic.strip() in relevant:
            asked.append(Question(topic.strip(), " ".join(asked_text.split())))
    return _write(out, asked, relevant)


def _write(
    out: Path,
    asked: list[Question],
    relevant: Relevant,
    articles: Iterator[dict[str, Any]] | None = None,
) -> int:
    """Write a set; a corpus that an earlier one left goes where the set has none."""
    ids = {question.id for question in asked}
    kept = {question: articles for question, articles in relevant.items() if question in ids}
    if not kept:
        raise InputError("No question has a judgement: the ids of the two files do not match.")
    if articles is None:
        (out / CORPUS).unlink(missing_ok=True)
    else:
        _write_corpus(out, articles)
    datasets.write(out, asked, kept)
    return len(asked)


def _write_corpus(out: Path, articles: Iterator[dict[str, Any]]) -> None:
    """Write the corpus as `tanya add` reads it: BEIR's `_id` is the article's `id` as well."""
    out.mkdir(parents=True, exist_ok=True)
    with written_whole(out / CORPUS) as corpus:
        for row in articles:
            about = row.get("metadata")
            kept: dict[str, Any] = dict(about) if isinstance(about, dict) else {}
            kept.update({key: value for key, value in row.items() if key != "metadata"})
            kept.update(_id=row["_id"], id=row["_id"], title=row.get("title") or "")
            corpus.write(json.dumps(kept, ensure_ascii=False) + "\n")


def _either(path: Path) -> Path | None:
    """Return the file or its gzipped form, whichever is there."""
    zipped = path.with_name(f"{path.name}.gz")
    return next((p for p in (path, zipped) if p.is_file()), None)


def _needed(path: Path) -> Path:
    found = _either(path)
    if found is None:
        raise InputError(f"There is no {path}, nor {path.name}.gz.")
    return found
