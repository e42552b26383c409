"""Conversations that are kept: chats.db in the home, beside the archive.

A conversation belongs to an owner, a name that says nothing about a person unless the server knows
one. A question is kept when it is asked and its turn when it is answered, so that what was asked is
not lost with the connection or the server.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import secrets
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import ArchiveError, DiskError
from index.records import Answer, Evidence, Filter, Hit, Turn
from index.refusals import sentence
from index.sqlite import connect, connect_logged, transaction
from qa.feedback import Verdict

if TYPE_CHECKING:
    from pydantic import TypeAdapter

logger = logging.getLogger("tanya.qa")

FILE_NAME = "chats.db"
LONGEST_TITLE = 120
_SCHEMA = 1
_TABLES = """
CREATE TABLE conversations(
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL,
    created TEXT NOT NULL, changed TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX conversations_of ON conversations(owner, changed);
CREATE TABLE turns(
    conversation TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    number INTEGER NOT NULL, asked TEXT NOT NULL, question TEXT NOT NULL, chosen TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT '', version TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '', turn BLOB,
    PRIMARY KEY(conversation, number)
) WITHOUT ROWID;
CREATE TABLE feedback(
    conversation TEXT NOT NULL, number INTEGER NOT NULL, given TEXT NOT NULL,
    good INTEGER NOT NULL, reason TEXT NOT NULL, words TEXT NOT NULL,
    right_answer TEXT NOT NULL, right_article TEXT NOT NULL,
    PRIMARY KEY(conversation, number),
    FOREIGN KEY(conversation, number) REFERENCES turns(conversation, number) ON DELETE CASCADE
) WITHOUT ROWID;
"""


# Of what is kept in memory alone only so much stays.
_FORGET = """DELETE FROM conversations WHERE id IN
    (SELECT id FROM conversations ORDER BY changed DESC, id LIMIT -1 OFFSET 2000)"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it is listed; times are UTC. `turns` counts its questions."""

    id: str
    title: str
    created: dt.datetime
    changed: dt.datetime
    turns: int


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A question of a conversation, numbered from 1; `turn` is None while it is not answered.

    `chosen` is the filter that was set when it was asked, `verdict` what its owner said of the
    answer. `reason` is why there is no answer: "busy", "stopped" as the server was, "" for unknown.
    """

    conversation: str
    number: int
    asked: dt.datetime
    question: str
    chosen: Filter
    turn: Turn | None
    owner: str = ""
    verdict: Verdict | None = None
    reason: str = ""


class History:
    """Keeps the conversations of a home; safe to use from many threads and processes."""

    def __init__(self, path: Path | None) -> None:
        """Open the conversations in a file, made at the first one; None keeps them in memory.

        Reading raises ArchiveError for a file that is none of ours or of a newer program.
        """
        self._path = path
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        # What could not be written; None while all could.
        self._spare: History | None = None

    @classmethod
    def of(cls, home: Path, *, keep: bool = True) -> History:
        """Return the conversations of a home; without `keep` they end with the process."""
        return cls(home / FILE_NAME if keep else None)

    @property
    def spares(self) -> bool:
        """Tell whether new conversations end with the process, for their file cannot be written."""
        return self._spare is not None

    # Writing -------------------------------------------------------------------------------------

    def begin(
        self, owner: str, conversation: str, question: str, chosen: Filter, now: dt.datetime
    ) -> tuple[str, int]:
        """Keep a question that was just asked; return its conversation and number.

        A conversation that the owner does not have, or "", begins a new one under its question.
        Where the file cannot be written, as in a home on a full or read-only disk, the question
        begins one that is kept in memory.
        """
        with self._lock:
            if spare := self._spared(conversation):
                return spare.begin(owner, conversation, question, chosen, now)
            try:
                return self._begin(owner, conversation, question, chosen, now)
            except (ArchiveError, DiskError) as error:
                if self._path is None:
                    raise
                logger.warning("a conversation is kept in memory: %s", error)
                self._spare = self._spare or History(None)
                return self._spare.begin(owner, "", question, chosen, now)

    def _begin(
        self, owner: str, conversation: str, question: str, chosen: Filter, now: dt.datetime
    ) -> tuple[str, int]:
        with self._writing() as db:
            if not self._owns(owner, conversation):
                conversation = secrets.token_urlsafe(12)
                title = " ".join(question.split())[:LONGEST_TITLE]
                db.execute(
                    "INSERT INTO conversations VALUES (?, ?, ?, ?, ?)",
                    (conversation, owner, title, now.isoformat(), now.isoformat()),
                )
                if self._path is None:
                    db.execute(_FORGET)
            [number] = db.execute(
                "SELECT coalesce(max(number), 0) + 1 FROM turns WHERE conversation = ?",
                (conversation,),
            ).fetchone()
            row = (conversation, number, now.isoformat(), question, _filters().dump_json(chosen))
            db.execute(
                "INSERT INTO turns(conversation, number, asked, question, chosen) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )
            db.execute(
                "UPDATE conversations SET changed = ? WHERE id = ?",
                (now.isoformat(), conversation),
            )
        return conversation, number

    def finish(self, conversation: str, number: int, turn: Turn) -> None:
        """Keep the answer of a question; one whose conversation was deleted meanwhile goes."""
        if spare := self._spared(conversation):
            spare.finish(conversation, number, turn)
            return
        words = " ".join(claim.text for claim in turn.answer.claims)
        packed = zlib.compress(_turns().dump_json(_light(turn)))
        answer = turn.answer
        with self._lock, self._writing() as db:
            db.execute(
                "UPDATE turns SET status = ?, version = ?, words = ?, turn = ? "
                "WHERE conversation = ? AND number = ?",
                (answer.status, answer.evidence.version, words, packed, conversation, number),
            )

    def leave(self, conversation: str, number: int, reason: str) -> None:
        """Keep why a question has no answer, "busy" or "stopped"."""
        if spare := self._spared(conversation):
            spare.leave(conversation, number, reason)
            return
        with self._lock, transaction(db := self._open(write=True)):
            db.execute(
                "UPDATE turns SET status = ? "
                "WHERE conversation = ? AND number = ? AND turn IS NULL",
                (reason, conversation, number),
            )

    def judge(self, owner: str, conversation: str, number: int, verdict: Verdict | None) -> bool:
        """Keep what an owner says of an answered turn, in place of what was said before.

        None takes it back. Returns whether there is such a turn; raises InputError as
        `Verdict.checked`.
        """
        if spare := self._spared(conversation):
            return spare.judge(owner, conversation, number, verdict)
        kept = verdict.checked() if verdict else None
        with self._lock:
            if not self._owns(owner, conversation):
                return False
            with self._writing() as db:
                place = (conversation, number)
                db.execute("DELETE FROM feedback WHERE conversation = ? AND number = ?", place)
                query = "SELECT turn FROM turns WHERE conversation = ? AND number = ?"
                [turn] = db.execute(query, place).fetchone() or [None]
                if kept and turn:
                    given = kept.given.astimezone(dt.UTC).isoformat()
                    said = (kept.reason, kept.words, kept.right_answer, kept.right_article)
                    db.execute(
                        "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        (*place, given, kept.good, *said),
                    )
            return turn is not None

    def rename(self, owner: str, conversation: str, title: str) -> bool:
        """Give a conversation another title; return whether the owner has it."""
        if spare := self._spared(conversation):
            return spare.rename(owner, conversation, title)
        title = " ".join(title.split())[:LONGEST_TITLE]
        with self._lock:
            if not title or not self._owns(owner, conversation):
                return False
            with self._writing() as db:
                db.execute("UPDATE conversations SET title = ? WHERE id = ?", (title, conversation))
            return True

    def delete(self, owner: str, conversation: str) -> bool:
        """Delete a conversation with its turns; return whether the owner had it."""
        if spare := self._spared(conversation):
            return spare.delete(owner, conversation)
        with self._lock:
            if not self._owns(owner, conversation):
                return False
            with self._writing() as db:
                db.execute("DELETE FROM conversations WHERE id = ?", (conversation,))
            return True

    # Reading -------------------------------------------------------------------------------------

    def conversations(
        self, owner: str, words: str = "", count: int = 50, skip: int = 0
    ) -> list[Conversation]:
        """Return an owner's conversations, the last changed first; `words` stand in all of them.

        They are looked for in titles, questions and answers, whatever their case.
        """
        where, values = "owner = ?", [owner]
        for word in words.split():
            escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            where += (
                " AND (title LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM turns WHERE "
                "conversation = id AND question || ' ' || words LIKE ? ESCAPE '\\'))"
            )
            values += [f"%{escaped}%"] * 2
        spared = self._spare.conversations(owner, words) if self._spare and not skip else []
        where += " ORDER BY changed DESC, id LIMIT ? OFFSET ?"
        return spared + self._listed(where, *values, count, skip)

    def conversation(self, owner: str, conversation: str) -> Conversation | None:
        """Return one conversation of an owner; None if there is no such."""
        if spare := self._spared(conversation):
            return spare.conversation(owner, conversation)
        found = self._listed("id = ? AND owner = ?", conversation, owner)
        return found[0] if found else None

    def _listed(self, where: str, *values: object) -> list[Conversation]:
        query = (
            "SELECT id, title, created, changed, "
            "(SELECT count(*) FROM turns WHERE conversation = id) FROM conversations "
            f"WHERE {where}"
        )
        return [
            Conversation(name, title, _time(created), _time(changed), turns)
            for name, title, created, changed, turns in self._rows(query, values)
        ]

    def turns(self, owner: str, conversation: str) -> list[KeptTurn]:
        """Return the turns of an owner's conversation, oldest first; none of another's."""
        if spare := self._spared(conversation):
            return spare.turns(owner, conversation)
        return list(self._kept("c.id = ? AND c.owner = ? ORDER BY t.number", conversation, owner))

    def all_turns(self, since: dt.datetime | None = None) -> Iterator[KeptTurn]:
        """Yield what everybody asked, oldest first, with the owner: for measuring and operators."""
        begin = since.isoformat() if since else ""
        yield from self._kept("t.asked >= ? ORDER BY t.asked, t.conversation, t.number", begin)

    def outcomes(self, count: int) -> list[tuple[dt.datetime, str, str, str]]:
        """Return (asked, question, status, version) of the last questions that are done.

        The newest comes first. A question that found no answer is as it was understood.
        """
        query = (
            "SELECT asked, question, status, version, CASE status WHEN 'answered' THEN NULL "
            "ELSE turn END FROM turns WHERE turn IS NOT NULL ORDER BY asked DESC LIMIT ?"
        )
        found = []
        for asked, question, status, version, packed in self._rows(query, (count,)):
            turn = _unpacked(packed)
            found.append((_time(asked), turn.query.text if turn else question, status, version))
        return found

    def judged(self, count: int = -1) -> Iterator[KeptTurn]:
        """Yield at most `count` of everybody's turns with a verdict, the newest verdict first."""
        order = "f.given DESC, f.conversation, f.number"
        yield from self._kept(f"f.given IS NOT NULL ORDER BY {order} LIMIT ?", count)

    def _kept(self, where: str, *values: object) -> Iterator[KeptTurn]:
        query = (
            "SELECT t.conversation, t.number, t.asked, t.question, t.chosen, t.turn, t.status, "
            "c.owner, "
            "f.given, f.good, f.reason, f.words, f.right_answer, f.right_article "
            "FROM turns t JOIN conversations c ON c.id = t.conversation "
            "LEFT JOIN feedback f ON f.conversation = t.conversation AND f.number = t.number "
            f"WHERE {where}"
        )
        for identity, number, asked, question, chosen, packed, status, owner, *said in self._rows(
            query, values
        ):
            turn = _unpacked(packed)
            reason = status if packed is None else ""
            limits = _filters().validate_json(chosen)
            given, good, *rest = said
            verdict = Verdict(_time(given), bool(good), *rest) if given else None
            yield KeptTurn(
                *(identity, number, _time(asked), question, limits, turn, owner, verdict, reason)
            )

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            db = self._open(write=False)
            return db.execute(query, values).fetchall() if db else []

    # The file ------------------------------------------------------------------------------------

    def _spared(self, conversation: str) -> History | None:
        """Return what keeps a conversation that could not be written; None for any other."""
        query = "SELECT 1 FROM conversations WHERE id = ?"
        found = self._spare and self._spare._rows(query, (conversation,))
        return self._spare if found else None

    def _owns(self, owner: str, conversation: str) -> bool:
        query = "SELECT 1 FROM conversations WHERE id = ? AND owner = ?"
        return bool(conversation and self._rows(query, (conversation, owner)))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Keep all that is written inside, or nothing; raises ArchiveError and DiskError."""
        db = self._open(write=True)
        try:
            with transaction(db):
                yield db
        except sqlite3.Error as error:
            raise DiskError(sentence(error, self._path)) from error

    def _open(self, *, write: bool) -> Any:
        """Return the database; None where there is none yet and nothing is to be written."""
        if self._db is None:
            there = self._path and self._path.exists() and self._path.stat().st_size
            if self._path and not write and not there:
                return None
            try:
                self._db = _opened(self._path)
            except (OSError, sqlite3.Error) as error:
                told = sentence(error, self._path)
                if there:
                    told += (
                        " It holds the conversations; move it away to begin anew, or set keep = "
                        "false under [chat]."
                    )
                raise ArchiveError(told) from error
        return self._db

    def close(self) -> None:
        """Close the file; it opens again when it is needed."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is None:
        db = connect(":memory:", check_same_thread=False)
    else:
        new = not path.exists()
        if new:
            # What people asked is nobody else's to read.
            path.touch(0o600)
        db = connect_logged(path, create=new, wait=5)
    db.execute("PRAGMA foreign_keys=ON")
    [found] = db.execute("PRAGMA user_version").fetchone()
    if found > _SCHEMA:
        raise sqlite3.DatabaseError(f"it is of a newer program (schema {found!r})")
    if found == 0:
        with transaction(db):
            [found] = db.execute("PRAGMA user_version").fetchone()
            if found == 0:
                for statement in _TABLES.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={_SCHEMA}")
    return db


@functools.cache
def _turns() -> TypeAdapter[Turn]:
    from pydantic import TypeAdapter

    return TypeAdapter(Turn)


@functools.cache
def _filters() -> TypeAdapter[Filter]:
    from pydantic import TypeAdapter

    return TypeAdapter(Filter)


def _unpacked(packed: bytes | None) -> Turn | None:
    """Return a kept turn; None for one that is not answered, or that cannot be read any more."""
    if packed is None:
        return None
    try:
        return _turns().validate_json(zlib.decompress(packed))
    except (ValueError, zlib.error) as error:
        logger.warning("a kept answer cannot be read: %s", str(error)[:200])
        return None


def _time(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written)


def _light(turn: Turn) -> Turn:
    """Return a turn without what an answer is not shown or followed up by.

    A silence is explained by all that was read; of an answer its citations say enough.
    """
    answer = turn.answer
    if not answer.claims:
        return turn
    hits = tuple(_light_hit(hit) for hit in answer.evidence.hits)
    evidence: Evidence = replace(
        answer.evidence, hits=hits, readings=answer.evidence.readings[:1], weights=()
    )
    light: Answer = replace(answer, evidence=evidence)
    return replace(turn, answer=light)


def _light_hit(hit: Hit) -> Hit:
    return replace(hit, passages=(hit.passage,), best=0)
