"""The names in the articles of a version, each with how many hold it: found by how they begin.

    names.db    name     (name, articles, plain, listed)
                start    (key, name): each name that is listed, by what it holds from each word on

A name is what articles write with capitals within a sentence; no list of names is needed. `plain`
are articles that write a single word in both ways, as "Presiden" and "presiden".
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from index import text
from index.sqlite import connect_finished, connect_new

FILE_NAME = "names.db"

LEAST_COUNT = 3
"""Articles that must hold a name before it is listed: others are slips and words in capitals."""

_SCHEMA = """
    CREATE TABLE name (
        name TEXT PRIMARY KEY, articles INTEGER NOT NULL, plain INTEGER NOT NULL,
        listed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE start (key TEXT, name TEXT, PRIMARY KEY (key, name)) WITHOUT ROWID;
"""

# Finding -----------------------------------------------------------------------------------------

_MOST_WORDS = 5
_WORD = r"[A-ZÀ-ÖØ-Þ][^\W\d_]*(?:['’-][^\W\d_]+)*"
_RUN = re.compile(rf"{_WORD}(?: (?:(?:bin|binti|al|van|der|de) )?{_WORD})*(?![\w'’-]|\.\w)")
_WITHIN = re.compile(r"[a-zß-öø-ÿ,] ")
_DAYS = frozenset("senin selasa rabu kamis jumat sabtu minggu ahad wib wita wit anda".split())
_NO_NAMES = _DAYS | text.month_numbers(published=True).keys()
_LETTERS = re.compile(r"[^\W_]+")


def names_in(pieces: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the names in the passages of one article, and single words that it writes both ways.

    A run of words in capitals that begins a sentence is no name, nor is one that holds a month or a
    day of the week.
    """
    whole = "\n".join(pieces)
    found, plain = set(), set()
    for match in _RUN.finditer(whole):
        start, end = match.span()
        if end - start > 2 and _WITHIN.fullmatch(whole, start - 2, start):
            found.add(match[0])
    written: set[str] = set()
    for name in sorted(found):
        words = name.lower().split(" ")
        if len(words) > _MOST_WORDS or not _NO_NAMES.isdisjoint(words):
            found.remove(name)
        elif len(words) == 1:
            written = written or set(whole.split())
            if words[0] in written:
                found.remove(name)
                plain.add(name)
    return found, plain


def folded(words: str) -> str:
    """Return words in lower case, without accents and signs: what names are found by."""
    apart = unicodedata.normalize("NFKD", words)
    kept = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(_LETTERS.findall(kept.casefold()))


# Storing -----------------------------------------------------------------------------------------


class NamesWriter:
    """Counts the names of a version, from those of the one before on."""

    def __init__(self, folder: Path, base: Path | None) -> None:
        if base is not None:
            shutil.copyfile(base / FILE_NAME, folder / FILE_NAME)
        self._db = connect_new(folder / FILE_NAME)
        if base is None:
            self._db.executescript(_SCHEMA)
        self._db.execute("BEGIN")

    def count(self, articles: Iterable[Iterable[str]], by: int) -> None:
        """Count the names in the passages of each article `by` 1, or by -1 where it is removed."""
        names: Counter[str] = Counter()
        plain: Counter[str] = Counter()
        for pieces in articles:
            held, both = names_in(pieces)
            names.update(held)
            plain.update(both)
        self._db.executemany(
            "INSERT INTO name (name, articles, plain) VALUES (?, ?, ?) ON CONFLICT (name) DO "
            "UPDATE SET articles = articles + excluded.articles, plain = plain + excluded.plain",
            ((name, by * names[name], by * plain[name]) for name in names | plain),
        )

    def finish(self) -> None:
        """List the names that enough articles hold, and no others."""
        db = self._db
        changed = db.execute(
            "SELECT name, listed FROM name WHERE listed != (articles >= max(?, plain))",
            (LEAST_COUNT,),
        ).fetchall()
        for name, listed in changed:
            change = (
                "DELETE FROM start WHERE key = ? AND name = ?"
                if listed
                else "INSERT OR IGNORE INTO start VALUES (?, ?)"
            )
            db.executemany(change, ((key, name) for key in _keys(name)))
        db.executemany(
            "UPDATE name SET listed = 1 - listed WHERE name = ?", ((n,) for n, _ in changed)
        )
        db.execute("DELETE FROM name WHERE articles = 0 AND plain = 0")
        db.execute("COMMIT")
        db.close()

    def abort(self) -> None:
        """Close what is open."""
        self._db.close()


class Names:
    """The names of a finished version."""

    def __init__(self, folder: Path) -> None:
        self._db = connect_finished(folder / FILE_NAME)

    def beginning(self, key: str, k: int) -> list[tuple[str, int]]:
        """Return at most k names with a word that a folded key begins at, with their articles.

        Those of most articles come first; of a name that is written in several ways, the usual one.
        """
        rows = self._db.execute(
            "SELECT DISTINCT name, articles FROM start JOIN name USING (name) "
            "WHERE key >= ? AND key < ? ORDER BY articles DESC, name",
            (key, f"{key}\U0010ffff"),
        )
        found: dict[str, tuple[str, int]] = {}
        for name, articles in rows:
            found.setdefault(folded(name), (name, articles))
            if len(found) == k:
                break
        return list(found.values())

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _keys(name: str) -> Iterator[str]:
    words = folded(name).split(" ")
    return (" ".join(words[at:]) for at in range(len(words)))
