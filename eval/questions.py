"""Question sets: read, written, imported from other forms, and those made for this project.

A set is a folder in BEIR's form (Thakur et al. 2021):

    corpus.jsonl         {"_id", "title", "text"}: articles to add, where the archive has them not
    queries.jsonl        {"_id", "text", "answers"?, "answerable"?, "follows"?, "filter"?}
                         "filter" is {"after"?, "before"?, "publishers"?}, dates as YYYY-MM-DD;
                         "kind" is what kind of question it is, for a table by kinds
    qrels.tsv            query-id, corpus-id, score; tab-separated, with this header
    conversations.jsonl  rows as in queries.jsonl; each turn but the first "follows" another.
                         "contains" are words that its standalone question must have ("a|b": one of
                         them), "absent" words that it must not have, "alone" says that it must
                         stay as it was typed
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index.archive import Archive
from index.errors import InputError
from index.files import (
    UNREADABLE,
    json_value,
    open_text,
    read_lines,
    unreadable,
    written_whole,
)
from index.reading import publishers
from index.records import Filter

QUERIES, QRELS, CORPUS = "queries.jsonl", "qrels.tsv", "corpus.jsonl"
CONVERSATIONS = "conversations.jsonl"

FIRST, OPENING, FOLLOW_UP = "first", "opening", "follow-up"
"""A set's question asked alone; the first of a conversation; one that follows another."""

Relevant = dict[str, dict[str, int]]
"""For each question the judged articles with their grade; 1 and up is relevant."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """How a follow-up must be understood: its own words alone, or with some words, without others.

    One of `words` may name several, of which one must be there: "beras|padi".
    """

    alone: bool
    words: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set; `answers` are accepted strings, none if it cannot be answered.

    `filter` is what the person who asks has set; `follows` the question before in a conversation.
    `part` is which part of the set it is: FIRST, OPENING or FOLLOW_UP; `kind` what kind of
    question it is, where the set tells.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    answerable: bool = True
    follows: str = ""
    filter: Filter = Filter()
    meaning: Meaning | None = None
    part: str = FIRST
    kind: str = ""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A folder's questions and, for each, the relevant articles with their grade (1 and up)."""

    questions: tuple[Question, ...]
    relevant: Relevant

    def wanted(self) -> list[str]:
        """Return all relevant articles, each once."""
        return sorted({a for grades in self.relevant.values() for a in relevant_in(grades)})


def relevant_in(grades: Mapping[str, int]) -> set[str]:
    """Return the articles that are judged relevant."""
    return {article for article, grade in grades.items() if grade > 0}


def archived_id(given: object) -> str:
    """Return the id that the archive gives to an article with this id of its own.

    It rewrites ids with other characters than letters, digits and "._:-", as MIRACL's "12#3".
    """
    return publishers.article_id(given, "", "", "", "")


# Reading -----------------------------------------------------------------------------------------


def load(folder: Path) -> QuestionSet:
    """Read a question set.

    Raises InputError for a missing file, a broken row, and judgements of no use.
    """
    found = QuestionSet(read_questions(folder / QUERIES), read_qrels(folder / QRELS))
    require_use(found, folder / QRELS)
    return found


def load_judged(path: Path) -> QuestionSet:
    """Read a question set, or a file of judgements; beside it the set's questions if they are."""
    if path.is_dir():
        return load(path)
    if path.name == QRELS and (path.parent / QUERIES).is_file():
        return load(path.parent)
    if not path.exists():
        raise InputError(f"There is no question set {path}.")
    found = QuestionSet((), read_qrels(path))
    require_use(found, path)
    return found


def load_asked(folder: Path, conversations: Path | None = None, limit: int = 0) -> list[Question]:
    """Return a set's questions and then the turns of its conversations; of each the first `limit`.

    Conversations are read from the set's own file where none is named. Raises InputError for a set
    that is not there, holds no gold strings, or has a question that follows none before it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no question set {str(folder)!r}: name a folder with queries.")
    own = folder / CONVERSATIONS
    if conversations is None and own.is_file():
        conversations = own
    found = _read_asked(folder / QUERIES, FIRST, limit)
    if conversations is not None:
        found += _read_asked(conversations, OPENING, limit)
    doubled = [i for i, count in Counter(one.id for one in found).items() if count > 1]
    if doubled:
        raise InputError(f"The id {min(doubled)!r} stands in {folder} and in {conversations}.")
    if not any(one.answers for one in found if one.answerable):
        raise InputError(
            f"{folder} has no gold strings, so no answer can be measured: write them as "
            '"answers" into its queries.jsonl; `tanya eval run` needs none.'
        )
    return found


def _read_asked(path: Path, part: str, limit: int) -> list[Question]:
    """Read a file of questions; a follow-up has the part of follow-ups, all others `part`."""
    found: dict[str, Question] = {}
    for one in read_questions(path)[: limit or None]:
        if one.follows and one.follows not in found:
            raise InputError(
                f"{path}: {one.id!r} follows {one.follows!r}, which is no question before it."
            )
        found[one.id] = replace(one, part=FOLLOW_UP if one.follows else part)
    return list(found.values())


def _meaning(row: Mapping[str, Any]) -> Meaning | None:
    if not row.get("follows") or not (row.get("alone") or row.get("contains")):
        return None
    words, absent = (tuple(map(str, row.get(name) or ())) for name in ("contains", "absent"))
    return Meaning(bool(row.get("alone")), words, absent)


def relevant_of(folder: Path) -> Relevant:
    """Return a set's judgements; none where it has no file of them."""
    path = folder / QRELS
    return read_qrels(path) if path.is_file() else {}


def require_use(found: QuestionSet, judgements: Path) -> None:
    """Raise InputError if no question of a set is judged, or no article relevant to one."""
    asked = {question.id for question in found.questions} or found.relevant.keys()
    if not asked & found.relevant.keys():
        raise InputError(
            f"{judgements} names no question of {QUERIES}: the ids of the two files do not match."
        )
    if not any(relevant_in(found.relevant.get(question, {})) for question in asked):
        raise InputError(
            f"{judgements} judges no article relevant to a question: it takes a score of 1 or more."
        )


def gaps(found: QuestionSet, held: Collection[str] | None = None) -> list[str]:
    """Return what of a set cannot be measured, a sentence for each reason.

    `held` are the relevant articles that the archive holds; None: it is not looked into. Raises
    InputError if no question has a relevant article there.
    """
    asked = {question.id for question in found.questions} or found.relevant.keys()
    judged = {q: relevant_in(grades) for q, grades in found.relevant.items() if q in asked}
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
    for place, row in rows(path, ("_id", "text")):
        question = Question(
            id=str(row["_id"]),
            text=_string(row, "text", place),
            answers=_strings(row, "answers", place),
            answerable=bool(row.get("answerable", True)),
            follows=str(row.get("follows") or ""),
            filter=_filter(row.get("filter") or {}, place),
            meaning=_meaning(row),
            kind=str(row.get("kind") or ""),
        )
        if question.id in found:
            raise InputError(f"{place}: the id {question.id!r} stands twice.")
        found[question.id] = question
    if not found:
        raise InputError(f"{path} holds no questions; import or make the set again.")
    return tuple(found.values())


def _string(row: Mapping[str, Any], name: str, place: str) -> str:
    if not isinstance(row[name], str):
        raise InputError(f"{place}: {name!r} is {row[name]!r:.80} but must be a string.")
    return str(row[name])


def _strings(row: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
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
    names = row.get("publishers") or []
    if not isinstance(names, list):
        raise InputError(f"{place}: 'publishers' is {names!r} but must be a list of names.")
    after, before = (_day(row.get(name), name, place) for name in ("after", "before"))
    return Filter(after, before, tuple(map(str, names)))


def _day(value: Any, name: str, place: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if value else None
    except (TypeError, ValueError):
        raise InputError(f"{place}: {name!r} is {value!r} but must be a date YYYY-MM-DD.") from None


def rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
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


def _object(row: Any, needed: tuple[str, ...], place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise InputError(f"{place} is no JSON object.")
    missing = [key for key in needed if key not in row]
    if missing:
        raise InputError(f"{place} lacks {', '.join(map(repr, missing))}.")
    return row


def read_qrels(path: Path) -> Relevant:
    """Read relevance judgements in BEIR's form (3 columns, header) or TREC's (4 columns).

    Articles are named as the archive names them. Raises InputError for a line that is none, and
    for one that judges an article again and otherwise.
    """
    relevant: Relevant = {}
    for number, line in enumerate(read_lines(path, "relevance judgements"), start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or fields[0] == "query-id":
            continue
        if len(fields) not in (3, 4) or not re.fullmatch(r"-?[0-9]+", fields[-1].strip()):
            raise InputError(f"{path}:{number} is no judgement: {line!r}.")
        grades, article, grade = relevant.setdefault(fields[0], {}), fields[-2], int(fields[-1])
        if grades.setdefault(archived_id(article), grade) != grade:
            raise InputError(f"{path}:{number} judges {article!r} again, and otherwise: {line!r}.")
    if not relevant:
        raise InputError(f"{path} holds no relevance judgements.")
    return relevant


# Writing -----------------------------------------------------------------------------------------


def write(
    folder: Path,
    asked: Sequence[Question],
    relevant: Mapping[str, Mapping[str, int]],
    conversations: Sequence[Question] = (),
) -> None:
    """Write a set's files, conversations.jsonl where it has some; each appears when it is complete.

    What an earlier set left there goes where this one has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_rows(folder / QUERIES, map(_row, asked))
    _write_qrels(folder / QRELS, relevant)
    if conversations:
        _write_rows(folder / CONVERSATIONS, map(_row, conversations))
    else:
        (folder / CONVERSATIONS).unlink(missing_ok=True)


def _write_qrels(path: Path, relevant: Mapping[str, Mapping[str, int]]) -> None:
    with written_whole(path) as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for question, grades in relevant.items():
            file.writelines(f"{question}\t{article}\t{n}\n" for article, n in grades.items())


def _write_rows(path: Path, written: Iterable[Mapping[str, Any]]) -> None:
    with written_whole(path) as file:
        file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in written)


def _row(question: Question) -> dict[str, Any]:
    row: dict[str, Any] = {
        "_id": question.id,
        "text": question.text,
        "answers": list(question.answers),
        "answerable": question.answerable,
    }
    if question.kind:
        row["kind"] = question.kind
    if question.follows:
        row["follows"] = question.follows
    if question.filter:
        chosen = question.filter
        days = {"after": chosen.after, "before": chosen.before}
        row["filter"] = {name: day.isoformat() for name, day in days.items() if day}
        if chosen.publishers:
            row["filter"]["publishers"] = list(chosen.publishers)
    return row


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


def fingerprint(asked: Sequence[Question]) -> str:
    """Return a hash (16 hex digits) of the questions with all that a run depends on."""
    rows = (_row(replace(question, kind="")) for question in asked)
    lines = "\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:16]


# Importing ---------------------------------------------------------------------------------------


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
        return _import_topics(source, qrels, out)
    if out.exists() and out.samefile(source):
        raise InputError(f"{source} cannot be imported into itself: name another folder.")
    if qrels is not None:
        raise InputError(f"--qrels belongs to a file of topics; {source} is none.")
    if _either(source / f"{prefix}passages.jsonl"):
        return _import_passages(source, out, prefix)
    if _either(source / QUERIES):
        return _import_beir(source, out, split)
    raise InputError(
        f"{source} holds neither {prefix}passages.jsonl.gz nor {QUERIES}: name a folder of "
        "passages and qa, a BEIR folder, or a file of TREC topics."
    )


def _import_passages(source: Path, out: Path, prefix: str) -> int:
    """Turn `{prefix}passages` and `{prefix}qa` JSON lines into a set; return its questions.

    A passage becomes an article of the corpus; the answerable questions' passages are relevant.
    """
    asked = []
    relevant: Relevant = {}
    path = _needed(source / f"{prefix}qa.jsonl")
    for place, row in rows(path, ("id", "question", "passage_id")):
        answerable = bool(row.get("answerable", True))
        answers = _strings(row, "answers", place)
        asked.append(Question(str(row["id"]), _string(row, "question", place), answers, answerable))
        if answerable:
            relevant[str(row["id"])] = {archived_id(row["passage_id"]): 1}
    passages = rows(_needed(source / f"{prefix}passages.jsonl"), ("id", "text"))
    return _write_import(out, asked, relevant, ({**row, "_id": row["id"]} for _, row in passages))


def _import_beir(source: Path, out: Path, split: str) -> int:
    """Turn a BEIR folder into a set of the questions that a split judges; return their number.

    Its files may be gzipped; judgements are qrels/{split}.tsv or qrels.tsv. A corpus is taken
    along where there is one.
    """
    judged = _either(source / "qrels" / f"{split}.tsv") or _either(source / QRELS)
    if judged is None:
        raise InputError(
            f"{source} holds neither qrels/{split}.tsv nor {QRELS}: name a split with --split."
        )
    relevant = read_qrels(judged)
    asked = [
        question
        for question in read_questions(_needed(source / QUERIES))
        if question.id in relevant or not question.answerable
    ]
    corpus = _either(source / CORPUS)
    articles = (row for _, row in rows(corpus, ("_id", "text"))) if corpus else None
    return _write_import(out, asked, relevant, articles)


def _import_topics(topics: Path, qrels: Path, out: Path) -> int:
    """Turn TREC topics, a line of id and text with a tab between, and their qrels into a set."""
    relevant = read_qrels(qrels)
    asked = []
    for number, line in enumerate(read_lines(topics, "topics"), start=1):
        topic, tab, asked_text = line.partition("\t")
        if not line.strip():
            continue
        if not (tab and topic.strip() and asked_text.strip()):
            raise InputError(f"{topics}:{number} is no topic, id<TAB>text: {line!r}.")
        if topic.strip() in relevant:
            asked.append(Question(topic.strip(), " ".join(asked_text.split())))
    return _write_import(out, asked, relevant)


def _write_import(
    out: Path,
    asked: list[Question],
    relevant: Relevant,
    articles: Iterator[dict[str, Any]] | None = None,
) -> int:
    """Write a set; a corpus that an earlier one left goes where the set has none."""
    ids = {question.id for question in asked}
    kept = {question: grades for question, grades in relevant.items() if question in ids}
    if not kept:
        raise InputError("No question has a judgement: the ids of the two files do not match.")
    out.mkdir(parents=True, exist_ok=True)
    if articles is None:
        (out / CORPUS).unlink(missing_ok=True)
    else:
        _write_rows(out / CORPUS, map(_corpus_row, articles))
    write(out, asked, kept)
    return len(asked)


def _corpus_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an article as `tanya add` reads it, with BEIR's `_id` as the archive's `id`."""
    about = row.get("metadata")
    kept = {**about} if isinstance(about, dict) else {}
    kept.update({key: value for key, value in row.items() if key != "metadata"})
    return {**kept, "id": row["_id"], "title": row.get("title") or ""}


def _either(path: Path) -> Path | None:
    """Return the file or its gzipped form, whichever is there."""
    zipped = path.with_name(f"{path.name}.gz")
    return next((p for p in (path, zipped) if p.is_file()), None)


def _needed(path: Path) -> Path:
    found = _either(path)
    if found is None:
        raise InputError(f"There is no {path}, nor {path.name}.gz.")
    return found


# Written for this project ------------------------------------------------------------------------

WRITTEN = Path(__file__).parent / "written.jsonl"
"""Holds no word of an article: an answer is (article, start, end, CRC-32 of its bytes), and is left
out where the archive's text is another."""

WRITTEN_SETS = ("conversations", "conversations-held-out", "newest", "missing")
"""30 conversations of five turns, to develop on; 10 more, for the end; 50 questions for the newest
news; 100 that the archive cannot answer, each with one like it that it can."""


def write_out(archive: Archive, name: str, out: Path) -> int:
    """Write one of WRITTEN_SETS as a folder, turns of conversations also alone, by their meaning.

    Returns the number of questions; raises InputError for an archive that lacks their articles.
    """
    made = list(_written_rows(archive, name))
    if not any(row["answers"] for row in made):
        raise InputError(
            f"The archive holds none of the articles that the set {name!r} was written over: "
            "click_id, indosum_dev and detik_2026 of the development data."
        )
    out.mkdir(parents=True, exist_ok=True)
    alone = [
        {**{key: value for key, value in row.items() if key != "follows"},
         "_id": f"{row['_id']}-alone", "text": row["meant"]}
        for row in made
        if row.get("meant") and row["kind"] != "small"
    ]  # fmt: skip
    _write_rows(out / QUERIES, alone or made)
    if alone:
        _write_rows(out / CONVERSATIONS, made)
    both = (*made, *alone)
    _write_qrels(out / QRELS, {row["_id"]: dict.fromkeys(row["articles"], 1) for row in both})
    return len(made)


def _written_rows(archive: Archive, name: str) -> Iterator[dict[str, Any]]:
    for line in WRITTEN.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.pop("set") != name:
            continue
        row["_id"] = row.pop("id")
        found = (_written_answer(archive, *place) for place in row["answers"])
        row["answers"] = list(dict.fromkeys(filter(None, found)))
        yield row


def _written_answer(archive: Archive, article_id: str, start: int, end: int, check: int) -> str:
    article = archive.get(article_id)
    words = article.body[start:end] if article else ""
    return words if zlib.crc32(words.encode()) == check else ""
