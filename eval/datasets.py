"""Question sets as folders in BEIR's form: corpus.jsonl, queries.jsonl, qrels.tsv.

corpus.jsonl    {"_id", "title", "text"}: articles to add; absent where the archive has them
queries.jsonl   {"_id", "text", "answers"?, "answerable"?, "follows"?}
qrels.tsv       query-id, corpus-id, score; tab-separated, with this header
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError

QUERIES, QRELS, CORPUS = "queries.jsonl", "qrels.tsv", "corpus.jsonl"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set; `answers` are accepted strings, none if it cannot be answered."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool = True
    follows: str = ""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A folder's questions and, for each, the relevant articles with their grade (1 and up)."""

    questions: tuple[Question, ...]
    relevant: dict[str, dict[str, int]]


def load(folder: Path) -> QuestionSet:
    """Read a question set; raises InputError for a missing file or a broken row."""
    questions = tuple(
        Question(
            id=str(row["_id"]),
            text=str(row["text"]),
            answers=tuple(map(str, row.get("answers", ()))),
            answerable=bool(row.get("answerable", True)),
            follows=str(row.get("follows") or ""),
        )
        for row in rows(folder / QUERIES, ("_id", "text"))
    )
    return QuestionSet(questions, read_qrels(folder / QRELS))


def rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON lines file, gzipped or not, each with the needed keys."""
    try:
        zipped = path.suffix == ".gz"
        file = gzip.open(path, "rt", encoding="utf-8") if zipped else path.open(encoding="utf-8")
        with file as lines:
            for number, line in enumerate(lines, start=1):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InputError(f"{path}:{number} is no JSON object.")
                missing = [key for key in needed if key not in row]
                if missing:
                    raise InputError(f"{path}:{number} lacks {', '.join(map(repr, missing))}.")
                yield row
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON lines: {error}.") from error


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Read relevance judgements in BEIR's form (3 columns, header) or TREC's (4 columns)."""
    relevant: dict[str, dict[str, int]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as relevance judgements: {error}.") from error
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or fields[0] == "query-id":
            continue
        if len(fields) not in (3, 4) or not re.fullmatch(r"-?[0-9]+", fields[-1]):
            raise InputError(f"{path}:{number} is no judgement: {line!r}.")
        relevant.setdefault(fields[0], {})[fields[-2]] = int(fields[-1])
    if not relevant:
        raise InputError(f"{path} holds no relevance judgements.")
    return relevant


def import_passages(source: Path, out: Path, *, prefix: str = "") -> int:
    """Turn `{prefix}passages` and `{prefix}qa` JSON lines into a set; return its questions.

    A passage becomes an article of the corpus; the answerable questions' passages are relevant.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / CORPUS).open("w", encoding="utf-8") as corpus:
        for row in rows(source / f"{prefix}passages.jsonl.gz", ("id", "text")):
            article = {"_id": row["id"], "id": row["id"], "title": row.get("title", "")}
            corpus.write(json.dumps({**article, "text": row["text"]}, ensure_ascii=False) + "\n")
    count = 0
    with (
        (out / QUERIES).open("w", encoding="utf-8") as queries,
        (out / QRELS).open("w", encoding="utf-8") as qrels,
    ):
        qrels.write("query-id\tcorpus-id\tscore\n")
        for row in rows(source / f"{prefix}qa.jsonl.gz", ("id", "question", "passage_id")):
            question = {
                "_id": row["id"],
                "text": row["question"],
                "answers": row.get("answers", []),
                "answerable": row.get("answerable", True),
            }
            queries.write(json.dumps(question, ensure_ascii=False) + "\n")
            if question["answerable"]:
                qrels.write(f"{row['id']}\t{row['passage_id']}\t1\n")
            count += 1
    return count
