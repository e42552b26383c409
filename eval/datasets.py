"""Question sets as folders in BEIR's form: corpus.jsonl, queries.jsonl, qrels.tsv.

corpus.jsonl    {"_id", "title", "text"}: articles to add; absent where the archive has them
queries.jsonl   {"_id", "text", "answers"?, "answerable"?, "follows"?, "filter"?}
                "filter" is {"after"?, "before"?, "publishers"?}, dates as YYYY-MM-DD
qrels.tsv       query-id, corpus-id, score; tab-separated, with this header
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError
from index.files import (
    UNREADABLE,
    json_value,
    open_text,
    read_lines,
    unreadable,
    written_whole,
)
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

    def wanted(self) -> list[str]:
        """Return all relevant articles, each once."""
        return sorted({a for grades in self.relevant.values() for a in _wanted(grades)})


def _wanted(grades: Mapping[str, int]) -> set[str]:
    return {article for article, grade in grades.items() if grade > 0}


def load(folder: Path) -> QuestionSet:
    """Read a question set.

    Raises InputError for a missing file, a broken row, and judgements of no use.
    """
    found = QuestionSet(read_questions(folder / QUERIES), read_qrels(folder / QRELS))
    require_use(found, folder / QRELS)
    return found


def require_use(found: QuestionSet, judgements: Path) -> None:
    """Raise InputError if no question of a set is judged, or no article relevant to one."""
    asked = {question.id for question in found.questions} or found.relevant.keys()
    if not asked & found.relevant.keys():
        raise InputError(
            f"{judgements} names no question of {QUERIES}: the ids of the two files do not match."
        )
    if not any(_wanted(found.relevant.get(question, {})) for question in asked):
        raise InputError(
            f"{judgements} judges no article relevant to a question: it takes a score of 1 or more."
        )


def gaps(found: QuestionSet, held: Collection[str] | None = None) -> list[str]:
    """Return what of a set cannot be measured, a sentence for each reason.

    `held` are the relevant articles that the archive holds; None: it is not looked into. Raises
    InputError if no question has a relevant article there.
    """
    asked = {question.id for question in found.questions} or found.relevant.keys()
    judged = {q: _wanted(grades) for q, grades in found.relevant.items() if q in asked}
    useless = sum(not wanted for wanted in judged.values())
    absent = 0
    if held is not None:
        absent = sum(bool(wanted) and wanted.isdisjoint(held) for wanted in judged.values())
    if absent and absent + useless == len(judged):
        raise InputError(
            "No question has a relevant article in this archive: `tanya add` the set's articles "
            f"({CORPUS}), `tanya build`, and ask again."
        )
    reasons = (
        (len(found.relevant) - len(judged), ("is", "are"), f"not in {QUERIES}"),
        (useless, ("has", "have"), "only judgements of 0"),
        (absent, ("has", "have"), "no relevant article in this archive"),
    )
    total = len(found.relevant)
    return [
        f"{count:,} of {total:,} questions {verbs[count > 1]} {what}."
        for count, verbs, what in reasons
        if count
    ]


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a set's questions; raises InputError, also for an id that stands twice."""
    found: dict[str, Question] = {}
    for place, row in placed_rows(path, ("_id", "text")):
        question = _question(row, place)
        if question.id in found:
            raise InputError(f"{place}: the id {question.id!r} stands twice.")
        found[question.id] = question
    if not found:
        raise InputError(f"{path} holds no questions; import or make the set again.")
    return tuple(found.values())


def _question(row: Mapping[str, Any], place: str) -> Question:
    return Question(
        id=str(row["_id"]),
        text=string_in(row, "text", place),
        answers=strings_in(row, "answers", place),
        answerable=bool(row.get("answerable", True)),
        follows=str(row.get("follows") or ""),
        filter=_filter(row.get("filter") or {}, place),
    )


def string_in(row: Mapping[str, Any], name: str, place: str) -> str:
    """Return a row's value that must be a string; raises InputError."""
    if not isinstance(row[name], str):
        raise InputError(f"{place}: {name!r} is {row[name]!r:.80} but must be a string.")
    return str(row[name])


def strings_in(row: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    """Return a row's list of strings, empty where it has none; raises InputError."""
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError(f"{place}: {name!r} is {value!r:.80} but must be a list of strings.")
    return tuple(value)


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
        with written_whole(folder / name) as file:
            file.writelines(f"{line}\n" for line in content)


def make_room(folder: Path, *, replace: bool = False) -> None:
    """Raise InputError if a set written to `folder` would overwrite something.

    With `replace`, an earlier set gives way.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder for the question set.")
    there = [name for name in (QUERIES, QRELS, CORPUS) if (folder / name).exists()]
    if there and not replace:
        raise InputError(
            f"{folder} holds a question set already ({', '.join(there)}): name another folder, or "
            "give --replace."
        )


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


def placed_rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a JSON lines file with their places, "queries.jsonl:3" with its path.

    The file may be gzipped. Raises InputError for a row that is no object with the needed keys.
    """
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    place = f"{path}:{number}"
                    yield place, _object(json_value(line, place), needed, place)
    except UNREADABLE as error:
        raise unreadable(path, "JSON lines", error) from error


def rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON lines file, gzipped or not, each with the needed keys."""
    return (row for _, row in placed_rows(path, needed))


def _object(row: Any, needed: tuple[str, ...], place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise InputError(f"{place} is no JSON object.")
    missing = [key for key in needed if key not in row]
    if missing:
        raise InputError(f"{place} lacks {', '.join(map(repr, missing))}.")
    return row


def read_qrels(path: Path) -> Relevant:
    """Read relevance judgements in BEIR's form (3 columns, header) or TREC's (4 columns)."""
    relevant: Relevant = {}
    for number, line in enumerate(read_lines(path, "relevance judgements"), start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or fields[0] == "query-id":
            continue
        if len(fields) not in (3, 4) or not re.fullmatch(r"-?[0-9]+", fields[-1].strip()):
            raise InputError(f"{path}:{number} is no judgement: {line!r}.")
        relevant.setdefault(fields[0], {})[fields[-2]] = int(fields[-1])
    if not relevant:
        raise InputError(f"{path} holds no relevance judgements.")
    return relevant
