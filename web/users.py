"""The accounts of a home, in users.db: who may do what, their sessions and their tokens.

A password is kept as an Argon2 hash, sessions and tokens as hashes of random ids: whoever reads the
file cannot come in by it.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from index.errors import ArchiveError, InputError, NotFoundError
from index.settings import ROLES, ServeSettings
from index.sqlite import connect, transaction
from web.who import Role

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FILE_NAME = "users.db"
SHORTEST, LONGEST = 10, 200
"""Characters of a password."""

_SCHEMA = 1
_TABLES = """
CREATE TABLE users(name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL,
    identity TEXT NOT NULL UNIQUE, made REAL NOT NULL);
CREATE TABLE sessions(hash TEXT PRIMARY KEY, name TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    made REAL NOT NULL, seen REAL NOT NULL);
CREATE TABLE tokens(hash TEXT PRIMARY KEY, name TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    made REAL NOT NULL);
CREATE INDEX sessions_of ON sessions(name, seen)
"""

_NAME = re.compile(r"[\w.@+-]{1,64}")
_MOST_SESSIONS = 20
"""Browsers that one account is logged in with; the one not seen for longest goes."""
_NOTED_EVERY = 60.0
"""Seconds after which a session's last request is written down again."""
_REMEMBERED = 1_000
_HOUR, _DAY = 3_600.0, 86_400.0


class Cost(NamedTuple):
    """What a guess costs: rounds, KiB and lanes of Argon2id; the defaults are RFC 9106's second.

    https://www.rfc-editor.org/rfc/rfc9106#section-4
    """

    rounds: int = 3
    memory: int = 65_536
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `owner` is what its conversations are kept under."""

    name: str
    role: Role
    owner: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as operators see it: times in seconds since 1970, `seen` None for never."""

    name: str
    role: Role
    made: float
    seen: float | None
    sessions: int
    tokens: int


def account_name(typed: str) -> str:
    """Return a name as accounts are kept under it; raises InputError for one that cannot be."""
    name = unicodedata.normalize("NFKC", typed[:200].strip()).casefold()
    name = unicodedata.normalize("NFKC", name)
    if not _NAME.fullmatch(name):
        raise InputError(
            f"The name {typed[:80]!r} cannot be one: use 1 to 64 letters, digits and . _ - + @."
        )
    return name


def owner_of(identity: str) -> str:
    """Return what conversations are kept under; no hash of a browser's cookie is like it."""
    return f"u{_hash(identity)[:31]}"


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


def _bytes(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _checked_password(name: str, password: str) -> None:
    """Raise InputError for a password that is easily guessed."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(f"The password must have {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < 5 or name in password.casefold():
        raise InputError(
            "The password is easily guessed: use at least five different characters, and not the "
            "name."
        )


def _checked_role(role: str) -> None:
    if role not in ROLES:
        raise InputError(f"The role is {role!r} but must be one of {', '.join(ROLES)}.")


class Users:
    """The accounts of a home; safe to use from many threads and processes.

    Each question is asked of the file, so that what another process changes counts at once. Raises
    ArchiveError where the file cannot be read or written. Reading makes no file.
    """

    def __init__(
        self,
        home: Path,
        settings: ServeSettings = ServeSettings(),  # noqa: B008
        *,
        cost: Cost = Cost(),  # noqa: B008
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = home / FILE_NAME
        self._idle, self._longest = settings.idle_hours * _HOUR, settings.session_days * _DAY
        self._cost, self._now = cost, now
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._secret = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()

    # Accounts ------------------------------------------------------------------------------------

    def exist(self) -> bool:
        """Tell whether there is an account."""
        return bool(self._rows("SELECT 1 FROM users LIMIT 1"))

    def listed(self) -> list[Listed]:
        """Return the accounts by name."""
        rows = self._rows(
            "SELECT name, role, made, (SELECT max(seen) FROM sessions s WHERE s.name = u.name), "
            "(SELECT count(*) FROM sessions s WHERE s.name = u.name AND seen > ? AND made > ?), "
            "(SELECT count(*) FROM tokens t WHERE t.name = u.name) FROM users u ORDER BY name",
            *self._oldest(),
        )
        return [Listed(*row) for row in rows]

    def add(self, typed: str, password: str, role: str = "reader") -> str:
        """Make an account; return its name as it is kept. Raises InputError."""
        name = account_name(typed)
        _checked_role(role)
        _checked_password(name, password)
        row = (name, role, self._hasher().hash(_bytes(password)), secrets.token_hex(16))
        with self._writing(make=True) as db:
            if db.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
                raise InputError(
                    f"There is an account {name!r} already: change it by tanya user password or "
                    "tanya user role."
                )
            db.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?)", (*row, self._now()))
        return name

    def known(self, typed: str) -> str:
        """Return the name of an account that there is; raises NotFoundError."""
        name = account_name(typed)
        if not self._rows("SELECT 1 FROM users WHERE name = ?", name):
            raise NotFoundError(f"There is no account {name!r}: tanya user list shows them.")
        return name

    def remove(self, typed: str) -> None:
        """Remove an account with its sessions and tokens."""
        name = self.known(typed)
        with self._writing() as db:
            db.execute("DELETE FROM users WHERE name = ?", (name,))

    def set_password(self, typed: str, password: str) -> None:
        """Change a password, which ends the account's sessions; tokens stay. Raises InputError."""
        name = self.known(typed)
        _checked_password(name, password)
        self._change(name, "password", self._hasher().hash(_bytes(password)))

    def set_role(self, typed: str, role: str) -> None:
        """Change a role, which ends the account's sessions."""
        name = self.known(typed)
        _checked_role(role)
        self._change(name, "role", role)

    def _change(self, name: str, column: str, value: str) -> None:
        with self._writing() as db:
            db.execute(f"UPDATE users SET {column} = ? WHERE name = ?", (value, name))
            db.execute("DELETE FROM sessions WHERE name = ?", (name,))

    def add_token(self, typed: str) -> str:
        """Make a token by which programs come in as an account; it cannot be shown again."""
        name, token = self.known(typed), f"tanya_{secrets.token_urlsafe(32)}"
        with self._writing() as db:
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (_hash(token), name, self._now()))
        return token

    def revoke_tokens(self, typed: str) -> int:
        """Revoke the tokens of an account; return how many there were."""
        name = self.known(typed)
        with self._writing() as db:
            return db.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount

    # Who comes -----------------------------------------------------------------------------------

    def checked(self, typed: str, password: str) -> Account | None:
        """Return the account of a name and a password; None takes as long for any of both."""
        found = self._checked(typed, password)
        return found[0] if found else None

    def log_in(self, typed: str, password: str) -> str | None:
        """Return the id of a new session, or None as `checked`."""
        found = self._checked(typed, password)
        if found is None:
            return None
        account, stored = found
        identity, now = secrets.token_urlsafe(32), self._now()
        with self._writing() as db:
            idle, old = self._oldest()
            db.execute("DELETE FROM sessions WHERE seen <= ? OR made <= ?", (idle, old))
            # The password may have been changed while it was checked.
            made = db.execute(
                "INSERT INTO sessions SELECT ?, name, ?, ? FROM users WHERE name = ? AND "
                "password = ?",
                (_hash(identity), now, now, account.name, stored),
            )
            db.execute(
                "DELETE FROM sessions WHERE name = ? AND hash NOT IN (SELECT hash FROM sessions "
                "WHERE name = ? ORDER BY seen DESC LIMIT ?)",
                (account.name, account.name, _MOST_SESSIONS),
            )
        return identity if made.rowcount else None

    def of_session(self, identity: str) -> Account | None:
        """Return whose session it is; None for one that has ended."""
        key, now = _hash(identity), self._now()
        rows = self._rows(
            "SELECT s.name, role, identity, s.seen FROM sessions s JOIN users u ON u.name = s.name "
            "WHERE hash = ? AND s.seen > ? AND s.made > ?",
            key,
            *self._oldest(),
        )
        if not rows:
            return None
        [(name, role, owner, seen)] = rows
        if now - seen > _NOTED_EVERY:
            self._note(key, now)
        return Account(name, role, owner_of(owner))

    def _note(self, key: str, now: float) -> None:
        """Write down that a session was used; it goes on where that cannot be written."""
        try:
            with self._writing() as db:
                db.execute("UPDATE sessions SET seen = ? WHERE hash = ?", (now, key))
        except ArchiveError:
            return

    def of_token(self, token: str) -> Account | None:
        """Return whose token it is."""
        rows = self._rows(
            "SELECT u.name, role, identity FROM tokens t JOIN users u ON u.name = t.name "
            "WHERE hash = ?",
            _hash(token),
        )
        return Account(rows[0][0], rows[0][1], owner_of(rows[0][2])) if rows else None

    def log_out(self, identity: str) -> None:
        """End a session."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (_hash(identity),))

    def _checked(self, typed: str, password: str) -> tuple[Account, str] | None:
        from argon2.exceptions import VerificationError

        try:
            name = account_name(typed)
        except InputError:
            name = ""
        query = "SELECT role, password, identity FROM users WHERE name = ?"
        role, stored, identity = (self._rows(query, name) or [("reader", "", "")])[0]
        given = _bytes(password[: LONGEST + 1])
        # Programs bring the password with each request.
        key = hmac.digest(self._secret, stored.encode() + b"\0" + given, "sha256")
        with self._lock:
            right = bool(stored) and key in self._right
        if not right:
            try:
                right = self._hasher().verify(stored or self._nobody, given) and bool(stored)
            except VerificationError:
                right = False
        if not right:
            return None
        with self._lock:
            self._right[key] = None
            if len(self._right) > _REMEMBERED:
                self._right.popitem(last=False)
        return Account(name, role, owner_of(identity)), stored

    @functools.cached_property
    def _nobody(self) -> str:
        """The hash of a password that nobody has."""
        return self._hasher().hash(secrets.token_bytes(32))

    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        rounds, memory, lanes = self._cost
        return PasswordHasher(rounds, memory, lanes)

    def _oldest(self) -> tuple[float, float]:
        """Return when sessions that still hold were seen, and made, after."""
        return self._now() - self._idle, self._now() - self._longest

    # The file ------------------------------------------------------------------------------------

    def _rows(self, query: str, *values: object) -> list[Any]:
        with self._lock, self._told():
            db = self._open()
            return db.execute(query, values).fetchall() if db else []

    @contextmanager
    def _writing(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told():
            db = self._open(make=make)
            if db is None:
                raise sqlite3.OperationalError("it is gone")
            with transaction(db):
                yield db

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise ArchiveError(
                f"The accounts in {self._path} cannot be used: {error}; free the disk or mend its "
                "permissions, or restore the file from a backup."
            ) from error

    def _open(self, *, make: bool = False) -> sqlite3.Connection | None:
        """Return the database, opened anew where another file has taken its place."""
        try:
            about = self._path.stat()
        except FileNotFoundError:
            if not make:
                self._file = None
                return None
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(0o600)
            about = self._path.stat()
        if self._db is None or self._file != (about.st_dev, about.st_ino):
            self._db = _opened(self._path, make=make)
            self._file = about.st_dev, about.st_ino
        return self._db


def _opened(path: Path, *, make: bool) -> sqlite3.Connection:
    db = connect(path, check_same_thread=False, timeout=5)
    db.execute("PRAGMA foreign_keys=ON")
    [found] = db.execute("PRAGMA user_version").fetchone()
    if found > _SCHEMA:
        raise sqlite3.DatabaseError(f"it is of a newer program (schema {found!r})")
    if found == 0 and not make:
        # Whoever empties the file must not open the door by it.
        raise sqlite3.DatabaseError("it holds no accounts")
    if found == 0:
        with transaction(db):
            if db.execute("PRAGMA user_version").fetchone() == (0,):
                for statement in _TABLES.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version={_SCHEMA}")
    return db
