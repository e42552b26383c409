"""The accounts of a home: made, changed and removed by commands, asked for by a server."""

import io
import sqlite3
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ArchiveError, InputError, NotFoundError
from index.settings import ServeSettings
from tests import homes
from tests.operating import CHEAP
from web.users import FILE_NAME, Users, account_name, owner_of
from web.visitor import of_cookie

GOOD = "hujan di bulan juni"
HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
def clock():
    return [1_000_000_000.0]


@pytest.fixture
def users(tmp_path, clock):
    made = Users(tmp_path, cost=CHEAP, now=lambda: clock[0])
    made.add("Ani", GOOD, "editor")
    return made


# Names and passwords ---------------------------------------------------------------------------


SAME = {" ANI\n": "ani", "ＡＮＩ": "ani", "Straße": "strasse", "a.b_c-d+e@f": "a.b_c-d+e@f"}


@pytest.mark.parametrize(("typed", "name"), SAME.items())
def test_a_name_is_one_however_it_is_typed(typed, name):
    assert account_name(typed) == name


@pytest.mark.parametrize("typed", ["", " ", "a b", "x" * 65, "a/b", "<b>", "\ud800", "a\x00"])
def test_a_name_that_cannot_be_one_is_told(typed):
    with pytest.raises(InputError, match="cannot be one"):
        account_name(typed)


@given(st.text(max_size=90))
def test_a_name_stays_what_it_is(typed):
    try:
        name = account_name(typed)
    except InputError:
        return
    assert account_name(name) == name
    assert 0 < len(name) <= 64


def test_whose_name_is_known_comes_in_by_the_password_alone(users):
    assert users.checked("ANI", GOOD).name == "ani"
    # Again: programs bring it with each request.
    assert users.checked("ani", GOOD).role == "editor"
    for name, password in (
        ("ani", GOOD + " "),
        ("ani", ""),
        ("ani", "x" * 100_000),
        ("ani", "\ud800"),
        ("budi", GOOD),
        ("", GOOD),
        ("a b", GOOD),
    ):
        assert users.checked(name, password) is None
        assert users.log_in(name, password) is None


def test_an_unknown_name_costs_what_a_wrong_password_costs(users):
    assert "_nobody" not in vars(users)
    assert users.checked("budi", GOOD) is None
    assert vars(users)["_nobody"].startswith("$argon2id$v=19$m=8,t=1,p=1$")


@pytest.mark.parametrize(
    "password", ["", "pendek", "123456789", "aaaaaaaaaaaa", "1212121212", "budi-1234567", "x" * 201]
)
def test_a_password_that_is_guessed_makes_no_account(users, password):
    with pytest.raises(InputError, match="The password"):
        users.add("budi", password)
    with pytest.raises(InputError, match="The password"):
        users.set_password("ani", password.replace("budi", "ani"))
    assert [each.name for each in users.listed()] == ["ani"]
    assert users.checked("ani", GOOD)


def test_an_account_is_made_once_and_of_a_known_role(users):
    with pytest.raises(InputError, match="already"):
        users.add("ANI", GOOD)
    with pytest.raises(InputError, match="'admin' but must be one of reader"):
        users.add("budi", GOOD, "admin")
    for change in (users.remove, users.revoke_tokens, users.add_token):
        with pytest.raises(NotFoundError, match="no account 'budi'"):
            change("budi")


# Sessions and tokens ---------------------------------------------------------------------------


def test_a_session_ends_when_it_is_left_alone_and_when_it_is_old(users, clock):
    session = users.log_in("ani", GOOD)
    for _ in range(100):
        clock[0] += 11.9 * HOUR
        if clock[0] > 1_000_000_000.0 + 30 * DAY:
            break
        assert users.of_session(session).name == "ani"
    assert users.of_session(session) is None
    session = users.log_in("ani", GOOD)
    clock[0] += 12 * HOUR
    assert users.of_session(session) is None
    assert users.listed()[0].sessions == 0
    short = Users(users._path.parent, ServeSettings(idle_hours=0.5), now=lambda: clock[0])
    session = users.log_in("ani", GOOD)
    clock[0] += 0.6 * HOUR
    assert short.of_session(session) is None


def test_what_another_process_changes_ends_sessions_at_once(users, tmp_path):
    other = Users(tmp_path, cost=CHEAP, now=users._now)
    for change in (
        lambda: other.set_password("ani", GOOD),
        lambda: other.set_role("ani", "reader"),
        lambda: other.remove("ani"),
    ):
        session = users.log_in("ani", GOOD)
        assert users.of_session(session)
        change()
        assert users.of_session(session) is None
    assert not users.exist()
    assert users.checked("ani", GOOD) is None


def test_an_old_password_is_not_remembered(users):
    assert users.checked("ani", GOOD)
    users.set_password("ani", "kemarau di bulan juli")
    assert users.checked("ani", GOOD) is None
    assert users.checked("ani", "kemarau di bulan juli")


def test_a_session_that_is_logged_out_is_over_and_others_stay(users):
    first, second = users.log_in("ani", GOOD), users.log_in("ani", GOOD)
    assert first != second
    users.log_out(first)
    assert users.of_session(first) is None
    assert users.of_session(second)
    for wrong in ("", second[:-1], second + "x", "\ud800"):
        assert users.of_session(wrong) is None


def test_an_account_has_so_many_sessions_and_no_more(users, clock):
    sessions = []
    for _ in range(25):
        clock[0] += 1
        sessions.append(users.log_in("ani", GOOD))
    held = [bool(users.of_session(each)) for each in sessions]
    assert held == [False] * 5 + [True] * 20


def test_a_token_comes_in_until_it_is_revoked(users):
    token, second = users.add_token("ani"), users.add_token("ani")
    users.set_password("ani", "kemarau di bulan juli")
    users.set_role("ani", "operator")
    assert users.of_token(token).role == users.of_token(second).role == "operator"
    assert users.of_token(token[:-1]) is None
    assert users.revoke_tokens("ani") == 2
    assert users.of_token(token) is None
    token = users.add_token("ani")
    users.remove("ani")
    assert users.of_token(token) is None


def test_whoever_takes_a_name_over_is_somebody_else(users):
    before = users.checked("ani", GOOD).owner
    users.remove("ani")
    users.add("ani", GOOD)
    assert users.checked("ani", GOOD).owner != before


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_cookie_is_an_account(identity, cookie):
    assert owner_of(identity) != of_cookie(cookie)


# The file --------------------------------------------------------------------------------------


def test_the_file_opens_nothing_to_whoever_reads_it(users, tmp_path):
    session, token = users.log_in("ani", GOOD), users.add_token("ani")
    path = tmp_path / FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    for secret in (GOOD, session, token):
        assert secret.encode() not in content


def test_asking_makes_no_file(tmp_path):
    users = Users(tmp_path / "rumah")
    assert not users.exist()
    assert users.listed() == []
    assert users.of_session("x") is None
    assert users.of_token("x") is None
    with pytest.raises(NotFoundError):
        users.remove("ani")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"bukan basis data" * 100])
def test_a_damaged_file_lets_nobody_in(users, tmp_path, content):
    path = tmp_path / FILE_NAME
    path.unlink()
    path.write_bytes(content)
    for ask in (users.exist, lambda: users.of_session("x"), lambda: users.checked("ani", GOOD)):
        with pytest.raises(ArchiveError, match="restore the file from a backup"):
            ask()


def test_a_newer_file_is_told_and_a_restored_one_is_read(users, tmp_path):
    path = tmp_path / FILE_NAME
    kept = path.read_bytes()
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(ArchiveError, match="newer program"):
        users.exist()
    path.unlink()
    path.write_bytes(kept)
    assert users.checked("ani", GOOD)


# Commands --------------------------------------------------------------------------------------


def told(home, monkeypatch, *arguments, typed=""):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return homes.tell(home, "user", *arguments)


def test_accounts_are_made_listed_changed_and_removed(tmp_path, monkeypatch):
    assert "No accounts" in told(tmp_path, monkeypatch, "list").stdout
    weak = told(tmp_path, monkeypatch, "add", "ani", typed="pendek\n")
    assert (weak.returncode, weak.stdout) == (1, "")
    assert "10 to 200 characters" in weak.stderr
    assert "pendek" not in weak.stderr
    made = told(tmp_path, monkeypatch, "add", "Ani", "--role", "editor", typed=f"{GOOD}\r\nlain\n")
    assert made.stdout == "ani is editor.\n"
    token = told(tmp_path, monkeypatch, "token", "ani").stdout.strip()
    users = Users(tmp_path)
    assert users.of_token(token).name == "ani"
    assert users.checked("ani", GOOD)
    listed = told(tmp_path, monkeypatch, "list").stdout
    assert "ani editor made" in listed
    assert "never seen, sessions: 0, tokens: 1" in listed
    assert told(tmp_path, monkeypatch, "role", "ani", "operator").stdout == "ani is operator.\n"
    assert told(tmp_path, monkeypatch, "token", "ani", "--revoke").stdout.endswith(": 1.\n")
    told(tmp_path, monkeypatch, "password", "ani", typed="kemarau di bulan juli")
    assert users.checked("ani", GOOD) is None
    assert told(tmp_path, monkeypatch, "remove", "ANI").returncode == 0
    gone = told(tmp_path, monkeypatch, "password", "ani", typed=GOOD)
    assert (gone.returncode, "no account 'ani'" in gone.stderr) == (1, True)
    assert not users.exist()


def test_nothing_on_standard_input_is_no_password(tmp_path, monkeypatch):
    empty = told(tmp_path, monkeypatch, "add", "ani")
    assert "no password on standard input" in empty.stderr
    assert not (tmp_path / FILE_NAME).exists()
