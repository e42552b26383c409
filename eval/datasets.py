"""Question sets as folders in BEIR's form: corpus.jsonl, queries.jsonl, qrels.tsv.

corpus.jsonl    {"_id", "title", "text"}: articles to add; absent where the archive has them
queries.jsonl   {"_id", "text", "answers"?, "answerable"?, "follows"?, "filter"?}
                "filter" is {"after"?, "before"?, "publishers"?}, dates as YYYY-MM-DD
qrels.tsv       query-id, corpus-id, score; tab-separated, with this header
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from index.errors import InputError
from index.records import Filter

QUERIES, QRELS, CORPUS = "queries.jsonl", "qrels.tsv", "corpus.jsonl"

Relevant = dict[str, dict[str, int]]
"""For each question the judged articles with their grade; 1 and up is relevant."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set; `answers` are accepted strings, none if it cannot be answered.

    `filter` is what the person who asks has set; `follows` the question before in a conversation.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool = True
    follows: str = ""
    filter: Filter = Filter()


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A folder's questions and, for each, the relevant articles with their grade (1 and up)."""

    questions: tuple[Question, ...]
    relevant: Relevant


def load(folder: Path) -> QuestionSet:
    """Read a question set; raises InputError for a missing file or a broken row."""
    return QuestionSet(read_questions(folder / QUERIES), read_qrels(folder / QRELS))


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a set's questions; raises InputError, also for an id that stands twice."""
    found: dict[str, Question] = {}
    for number, row in enumerate(rows(path, ("_id", "text")), start=1):
        question = _question(row, f"{path}, row {number}")
        if question.id in found:
            raise InputError(f"{path}, row {number}: the id {question.id!r} stands twice.")
        found[question.id] = question
    if not found:
        raise InputError(f"{path} holds no questions; import or make the set again.")
    return tuple(found.values())


def _question(row: Mapping[str, Any], place: str) -> Question:
    return Question(
        id=str(row["_id"]),
        text=str(row["text"]),
        answers=tuple(map(str, row.get("answers", ()))),
        answerable=bool(row.get("answerable", True)),
        follows=str(row.get("follows") or ""),
        filter=_filter(row.get("filter") or {}, place),
    )


def _filter(row: Any, place: str) -> Filter:
    known = {"after", "before", "publishers"}
    if not isinstance(row, dict) or set(row) - known:
        raise InputError(
            f"{place}: 'filter' is {row!r} but may hold only after, before, publishers."
        )
    publishers = row.get("publishers") or []
    if not isinstance(publishers, list):
        raise InputError(f"{place}: 'publishers' is {publishers!r} but must be a list of names.")
    after, before = (_day(row.get(name), name, place) for name in ("after", "before"))
    return Filter(after, before, tuple(map(str, publishers)))


def _day(value: Any, name: str, place: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except (TypeError, ValueError):
        raise InputError(f"{place}: {name!r} is {value!r} but must be a date YYYY-MM-DD.") from None


def write(
    folder: Path, asked: Sequence[Question], relevant: Mapping[str, Mapping[str, int]]
) -> None:
    """Write a set's queries.jsonl and qrels.tsv; each appears only when it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(_row(question), ensure_ascii=False) for question in asked]
    judged = ["query-id\tcorpus-id\tscore"]
    for question_id, articles in relevant.items():
        judged.extend(f"{question_id}\t{article}\t{n}" for article, n in articles.items())
    for name, content in ((QUERIES, lines), (QRELS, judged)):
        beside = folder / f"{name}.part"
        beside.write_text("".join(f"{line}\n" for line in content), encoding="utf-8")
        beside.replace(folder / name)


def _row(question: Question) -> dict[str, Any]:
    row: dict[str, Any] = {
        "_id": question.id,
        "text": question.text,
        "answers": list(question.answers),
        "answerable": question.answerable,
    }
    if question.follows:
        row["follows"] = question.follows
    if question.filter:
        chosen = question.filter
        days = {"after": chosen.after, "before": chosen.before}
        row["filter"] = {name: day.isoformat() for name, day in days.items() if day}
        if chosen.publishers:
            row["filter"]["publishers"] = list(chosen.publishers)
    return row


def fingerprint(asked: Sequence[Question]) -> str:
    """Return a hash (16 hex digits) of the questions with all that a run depends on."""
    lines = "\n".join(json.dumps(_row(q), ensure_ascii=False, sort_keys=True) for q in asked)
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def open_text(path: Path) -> TextIO:
    """Open a text file for reading, gzipped if its name ends so."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON lines file, gzipped or not, each with the needed keys."""
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InputError(f"{path}:{number} is no JSON object.")
                missing = [key for key in needed if key not in row]
                if missing:
                    raise InputError(f"{path}:{number} lacks {', '.join(map(repr, missing))}.")
                yield row
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON lines: {error}.") from error


def read_qrels(path: Path) -> Relevant:
    """Read relevance judgements in BEIR's form (3 columns, header) or TREC's (4 columns)."""
    relevant: Relevant = {}
    try:
        with open_text(path) as file:
            lines = file.read().splitlines()
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read as relevance judgements: {error}.") from error
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or fields[0] == "query-id":
            continue
        if len(fields) not in (3, 4) or not re.fullmatch(r"-?[0-9]+", fields[-1].strip()):
            raise InputError(f"{path}:{number} is no judgement: {line!r}.")
        relevant.setdefault(fields[0], {})[fields[-2]] = int(fields[-1])
    if not relevant:
        raise InputError(f"{path} holds no relevance judgements.")
    return relevant
