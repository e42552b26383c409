"""What a home holds and answers, as values to compare: before a fault, after it, undisturbed."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app import answered
from index import settings
from index.archive import FILE_NAME
from index.embedding import open_embedder
from index.engines.contract import Vectors
from index.errors import IndexMissingError
from index.records import Filter
from index.snapshot import SearchIndex
from index.versions import Versions
from qa.chat import Chat
from tests.homes import quotes_hold
from web.answering import Answering

ASKED = "Berapa biaya pembangunan Pelabuhan Batu Layar?"
QUESTIONS = (
    ASKED,
    "jembatan gantung dan pasar ikan",
    "Bupati Rukmana menolak irigasi sawah",
    "guru honorer mengusulkan lomba perahu menjelang panen",
    "sebanyak 77 kali",
)
_ALL = 10_000
_TABLES = {
    "article": "id, publisher, title, body, url, published, authors, editors, story_id, content,"
    " repeated, fingerprint",
    "removed": "id",
    "page": "id, number, body",
    "earlier": "id, content, title, body",
    "line": "key, count",
    "repeated": "publisher, line",
}

Found = tuple[tuple[tuple[str, float], ...], ...]
"""For each question, what both searches find: ids of passages with their scores."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive holds: each article's fingerprint, and a hash of each table."""

    fingerprints: Mapping[str, str]
    removed: frozenset[str]
    tables: Mapping[str, str]
    whole: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """A version: its name, its articles, what it finds and tells, and what of it is not whole."""

    name: str
    articles: frozenset[str]
    found: Found
    told: str
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A home: its archive, the version that answers, the answer to a question.

    `trouble` is what is said of a live version that does not answer, "" of one that does.
    """

    archived: Archived
    indexed: Indexed | None
    answer: str
    trouble: str


def facts(home: Path, *, ask: bool) -> Facts:
    """Read what a home holds; what is damaged raises."""
    indexed, trouble = searched(home)
    return Facts(archived(home), indexed, answer(home) if ask else "", trouble)


def searched(home: Path) -> tuple[Indexed | None, str]:
    """Search the version that answers, if any does; return why it is not the live one, or ""."""
    versions = Versions.of(home, settings.load(home).engine)
    try:
        index = versions.current()
    except IndexMissingError:
        return None, ""
    return version_facts(index, index.version.name), versions.trouble


def archived(home: Path) -> Archived:
    """Read the archive as any program would, by SQL alone."""
    with closing(_opened(home / FILE_NAME)) as db:
        (whole,) = db.execute("PRAGMA integrity_check").fetchone()
        tables = {name: _hash(db, name, columns) for name, columns in _TABLES.items()}
        prints = dict(db.execute("SELECT id, fingerprint FROM article"))
        removed = frozenset(i for (i,) in db.execute("SELECT id FROM removed"))
    return Archived(prints, removed, tables, str(whole))


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=10)


def _hash(db: sqlite3.Connection, table: str, columns: str) -> str:
    digest = hashlib.sha256()
    for row in db.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}"):
        digest.update(repr(row).encode())
    return digest.hexdigest()[:16]


def version_facts(index: SearchIndex, name: str) -> Indexed:
    """Search a version for everything; say what of it cannot be whole."""
    version = index.version
    ones = np.ones(version.recipe.dimensions, dtype=np.float32)
    every = [found.passage_id for found in index.dense(ones, _ALL, Filter())]
    passages = index.passages(every)
    articles = frozenset(passage.article_id for passage in passages)
    stored = index.vectors(every)
    troubles = [
        f"{len(set(every))} of {version.passages} passages" * (len(set(every)) != version.passages),
        f"{len(articles)} of {version.articles} articles" * (len(articles) != version.articles),
        "vectors are not of length 1" * (not np.allclose((stored**2).sum(axis=1), 1, atol=1e-4)),
    ]
    told = hashlib.sha256(repr(sorted(map(repr, passages))).encode())
    for value in (sorted(index.authors().items()), index.headlines([], _ALL), index.names("", 50)):
        told.update(repr(value).encode())
    told.update(repr([index.synonyms(question) for question in QUESTIONS]).encode())
    trouble = ", ".join(filter(None, troubles))
    return Indexed(name, articles, _found(index), told.hexdigest()[:16], trouble)


def _found(index: SearchIndex) -> Found:
    return tuple(tuple(_each(index, question, vector)) for question, vector in _asked())


def _asked() -> Iterator[tuple[str, Vectors]]:
    vectors = open_embedder(settings.Settings().embedding).embed_queries(list(QUESTIONS))
    return zip(QUESTIONS, vectors, strict=True)


def _each(index: SearchIndex, question: str, vector: Vectors) -> Iterator[tuple[str, float]]:
    for found in (index.lexical(question, _ALL, Filter()), index.dense(vector, _ALL, Filter())):
        # Equal scores come in the order of rows, which differs with the order of adding.
        rounded = ((hit.passage_id, round(hit.score, 3)) for hit in found)
        yield from sorted(rounded, key=lambda hit: (-hit[1], hit[0]))


def asked_on_page(answering: Answering) -> str:
    """Ask the question as the page does; return the markup of its turn."""

    async def ask() -> str:
        return [step async for step in answered(answering, {"text": ASKED}, "satu")][-1]

    return asyncio.run(ask())


def answer(home: Path) -> str:
    """Ask a question that the home answers; its quotes must be archived."""
    chat = Chat.open(home)
    turn = chat.ask(ASKED)
    quotes_hold(chat, turn.answer)
    return f"{turn.answer.status}: {turn.answer.short_answer}"
