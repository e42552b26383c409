"""Asks the questions of a set by the chat itself; keeps each answer with what it is worth.

answers.jsonl     a question a line: the row of `tanya ask --batch`, then `part`, `answerable`,
                  `gold` and `figures`
provenance.json   what the answers were made with
scores.json       the measures; written last: a folder without it goes on where it stopped

A set may hold a conversations.jsonl beside its queries.jsonl, in the same form; each turn but the
first "follows" another. "contains" are words that its standalone question must have ("a|b": one
of them), "absent" words that it must not have, "alone" says that it must stay as it was typed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from eval import answer_figures, datasets, provenance
from eval.answer_figures import Asked, Meaning
from eval.answer_scores import FIRST, FOLLOW_UP, OPENING, Cited, Figures, Reply
from eval.datasets import Question, Relevant
from eval.provenance import Code, Machine, Plain, Provenance
from index.errors import InputError
from index.files import written_whole
from index.records import Filter, Turn
from qa.chat import Chat
from qa.question import sources

ANSWERS, INFO, SCORES = "answers.jsonl", "provenance.json", "scores.json"
CONVERSATIONS = "conversations.jsonl"

Row = dict[str, Any]
RowOf = Callable[[str, Turn], Row]
"""Gives the machine interface's row of an answered question."""


@dataclass(frozen=True, slots=True)
class Made:
    """What answers were made with: as runs, and the settings of answers and of the LLM, if any."""

    provenance: Provenance
    answers: Plain
    llm: Plain
    conversations: str


@dataclass(frozen=True, slots=True)
class Folder:
    """Answers read from disk."""

    name: str
    replies: tuple[Reply, ...]
    made: Made

    @property
    def threshold(self) -> float:
        """Return the confidence below which the chat declined."""
        return float(self.made.answers["min_confidence"])


# Questions ---------------------------------------------------------------------------------------


def read(folder: Path, conversations: Path | None = None, limit: int = 0) -> list[Asked]:
    """Return a set's questions and then the turns of its conversations; of each the first `limit`.

    Conversations are read from the set's own file where none is named. Raises InputError for a set
    that is not there, holds no gold strings, or has a question that follows none before it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no question set {str(folder)!r}: name a folder with queries.")
    own = folder / CONVERSATIONS
    if conversations is None and own.is_file():
        conversations = own
    found = _asked(folder / datasets.QUERIES, FIRST, limit)
    if conversations is not None:
        found += _asked(conversations, OPENING, limit)
    ids = [asked.question.id for asked in found]
    twice = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise InputError(f"The id {twice[0]!r} stands in {folder} and in {conversations}.")
    if not any(asked.question.answers for asked in found if asked.question.answerable):
        raise InputError(
            f"{folder} has no gold strings, so no answer can be told right: write them as "
            '"answers" into its queries.jsonl; `tanya eval run` needs none.'
        )
    return found


def _asked(path: Path, part: str, limit: int) -> list[Asked]:
    """Read a file of questions; a follow-up has the part of follow-ups, all others `part`."""
    meanings = {str(r["_id"]): _meaning(r) for r in datasets.rows(path, ("_id",))}
    found: list[Asked] = []
    known: set[str] = set()
    for one in datasets.read_questions(path)[: limit or None]:
        if not any(map(str.isalnum, one.text)):
            raise InputError(f"{path}: the question {one.id!r} is empty; mend the file.")
        if one.follows and one.follows not in known:
            raise InputError(
                f"{path}: {one.id!r} follows {one.follows!r}, which is no question before it."
            )
        known.add(one.id)
        found.append(Asked(one, FOLLOW_UP if one.follows else part, meanings[one.id]))
    return found


def _meaning(row: Mapping[str, Any]) -> Meaning | None:
    if not row.get("follows") or not (row.get("alone") or row.get("contains")):
        return None
    words, absent = (tuple(map(str, row.get(name) or ())) for name in ("contains", "absent"))
    return Meaning(bool(row.get("alone")), words, absent)


def relevant_of(folder: Path) -> Relevant:
    """Return a set's judgements; none where it has no file of them."""
    path = folder / datasets.QRELS
    return datasets.read_qrels(path) if path.is_file() else {}


# Asking ------------------------------------------------------------------------------------------


def ask(
    chat: Chat,
    asked: Sequence[Asked],
    relevant: Relevant,
    version: str,
    row_of: RowOf,
    done: Collection[str] = (),
) -> Iterator[Row]:
    """Ask what is not done yet, each turn of a conversation after those before it.

    The first question is asked once before, so that loading the models is in no figure. Raises
    InputError if another version of the index goes live meanwhile.
    """
    by_id = {each.question.id: each.question for each in asked}
    followed = {each.question.follows for each in asked}
    turns: dict[str, tuple[Turn, ...]] = {}

    def conversation(one: Question) -> tuple[Turn, ...]:
        """Return the turns up to and with a question; those before it are asked if need be."""
        if one.id in turns:
            return turns[one.id]
        before = conversation(by_id[one.follows]) if one.follows else ()
        whole = (*before, chat.ask(one.text, before, _filter(chat, one.filter)))
        if one.id in followed:
            turns[one.id] = whole
        return whole

    waiting = [each for each in asked if each.question.id not in done]
    if waiting:
        chat.ask(waiting[0].question.text)
    for each in waiting:
        turn = conversation(each.question)[-1]
        found = turn.answer.evidence.version
        if found != version:
            raise InputError(
                f"Version {found} of the index went live while questions were asked of {version}: "
                "ask again, into another folder."
            )
        yield _row(chat, each, turn, relevant.get(each.question.id), row_of)


def _filter(chat: Chat, chosen: Filter) -> Filter:
    if not chosen.publishers:
        return chosen
    names = sources.resolve_publishers(chosen.publishers, chat.publishers())
    return replace(chosen, publishers=names)


def _row(
    chat: Chat, asked: Asked, turn: Turn, grades: Mapping[str, int] | None, row_of: RowOf
) -> Row:
    one = asked.question
    wanted = {article for article, grade in (grades or {}).items() if grade > 0}
    return {
        **row_of(one.id, turn),
        **({"after": one.follows} if one.follows else {}),
        "part": asked.part,
        "answerable": one.answerable,
        "gold": list(one.answers),
        "figures": asdict(answer_figures.figures(chat, asked, turn, wanted)),
    }


# On disk -----------------------------------------------------------------------------------------


def describe(
    chat: Chat, asked: Sequence[Asked], folder: Path, conversations: Path | None, now: dt.datetime
) -> Made:
    """Return what answers made now will be made with; raises InputError for an empty index."""
    version = chat.index().version
    if not version.passages:
        raise InputError("The index holds no articles: add some, then run `tanya build`.")
    questions = [each.question for each in asked]
    about = provenance.Asked(
        folder.resolve().name,
        str(folder.resolve()),
        datasets.fingerprint(questions),
        len(questions),
    )
    retrieval, llm = chat.settings.retrieval, chat.settings.llm
    return Made(
        provenance.describe(about, version, retrieval, "", retrieval.hits, now),
        asdict(chat.settings.answers),
        {"model": llm.model, "temperature": llm.temperature} if llm.base_url else {},
        str(conversations or ""),
    )


@contextmanager
def kept(out: Path, made: Made, *, again: bool = False) -> Iterator[tuple[dict[str, Row], Any]]:
    """Open a folder of answers: give the rows that are there, and a function that adds one.

    A row is on disk when the function returns. Raises InputError if the folder is another's,
    complete (but with `again`), or was begun with other questions, settings, version or code.
    """
    done = {} if again else _begun(out, made)
    if again and out.exists() and not (out / INFO).is_file():
        raise InputError(f"{out} holds no answers: name another folder, or delete that first.")
    out.mkdir(parents=True, exist_ok=True)
    (out / SCORES).unlink(missing_ok=True)
    with written_whole(out / INFO, durable=True) as file:
        file.write(_told(made))
    with written_whole(out / ANSWERS, durable=True) as file:
        file.writelines(map(_line, done.values()))
    with (out / ANSWERS).open("a", encoding="utf-8") as file:

        def put(row: Row) -> None:
            file.write(_line(row))
            file.flush()

        yield done, put


def _begun(out: Path, made: Made) -> dict[str, Row]:
    """Return the rows of a folder that can be gone on with; none of one that is not there."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return {}
    if not (out / INFO).is_file():
        raise InputError(f"{out} holds no answers: name another folder, or delete that first.")
    if (out / SCORES).is_file():
        raise InputError(f"{out} is there already: name another folder, or give --replace.")
    differs = _difference(_read_made(out), made)
    if differs:
        raise InputError(
            f"{out} was begun with another {differs}: name another folder, or give --replace."
        )
    return _rows(out / ANSWERS)


def _difference(one: Made, other: Made) -> str:
    """Return the name of the first thing that two folders were not made alike with; else ""."""
    a, b = one.provenance, other.provenance
    alike = {
        "question set": a.set_hash == b.set_hash,
        "version of the index": (a.version, a.built) == (b.version, b.built),
        "recipe": a.recipe == b.recipe,
        "setting of retrieval": a.retrieval == b.retrieval,
        "setting of answers": (one.answers, one.llm) == (other.answers, other.llm),
        "commit of the code": a.code == b.code,
    }
    return next((name for name, same in alike.items() if not same), "")


def _rows(path: Path) -> dict[str, Row]:
    """Read the rows of answers; a last one that was cut off is left out."""
    found = {}
    try:
        lines = path.read_text("utf-8", "replace").split("\n") if path.is_file() else []
        for number, line in enumerate(filter(None, lines), start=1):
            try:
                row = json.loads(line)
                found[str(row["id"])] = row
            except ValueError:
                if number < len(lines):
                    raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read as answers ({error}).") from error
    return found


def _line(row: Row) -> str:
    # Half a character, as a set may hold, cannot be written.
    told = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
    return told + "\n"


def finish(out: Path, scores: Mapping[str, Any]) -> None:
    """Write the measures, which makes a folder complete."""
    with written_whole(out / SCORES, durable=True) as file:
        file.write(json.dumps(scores, ensure_ascii=False, indent=1) + "\n")


def is_folder(path: Path) -> bool:
    """Tell whether `tanya eval answers` wrote, or began, this folder."""
    return (path / INFO).is_file() and (path / ANSWERS).is_file()


def load(path: Path) -> Folder:
    """Read a complete folder of answers; raises InputError."""
    if not is_folder(path):
        raise InputError(f"{path} holds no answers: name a folder that `tanya eval answers` wrote.")
    if not (path / SCORES).is_file():
        raise InputError(f"{path} is not complete: run its `tanya eval answers` again to go on.")
    made = _read_made(path)
    return Folder(path.resolve().name, tuple(replies(_rows(path / ANSWERS).values())), made)


def _told(made: Made) -> str:
    own = {"answers": made.answers, "llm": made.llm, "conversations": made.conversations}
    return json.dumps({**asdict(made.provenance), **own}, ensure_ascii=False, indent=1) + "\n"


def _read_made(path: Path) -> Made:
    try:
        told = json.loads((path / INFO).read_text(encoding="utf-8"))
        own = (told.pop("answers"), told.pop("llm"), told.pop("conversations"))
        parts = {"code": Code(**told["code"]), "machine": Machine(**told["machine"])}
        float(own[0]["min_confidence"])
        return Made(Provenance(**{**told, **parts}), *own)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"{path} holds no answers of this program ({error}): run `tanya eval answers` again."
        ) from error


def replies(rows: Iterable[Row]) -> Iterator[Reply]:
    """Yield rows of answers as values; raises InputError for one that lacks something."""
    for row in rows:
        try:
            yield Reply(
                str(row["id"]),
                row["question"],
                row["standalone"],
                row["part"],
                row["answerable"],
                tuple(row["gold"]),
                row["status"],
                row["short_answer"],
                float(row["confidence"]),
                tuple(claim["text"] for claim in row["claims"]),
                tuple(_cited(citation) for citation in row["citations"]),
                row["answerer"],
                1000 * float(row["seconds"]),
                Figures(**row["figures"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"An answer cannot be read ({error!r}): run `tanya eval answers` again."
            ) from error


def _cited(row: Mapping[str, Any]) -> Cited:
    return Cited(
        row["number"],
        row["article_id"],
        row["title"],
        row["publisher"],
        row["published"] or "",
        row["quote"],
    )
