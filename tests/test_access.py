"""Who is let in, as whom, and what each role may do: the whole server, asked as others ask it."""

import asyncio
import base64
import json
import re
from contextlib import contextmanager

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.routing import Mount

import app
from index.errors import SettingsError
from index.records import Filter
from index.settings import ServeSettings
from page import texts
from qa.chat import Chat
from qa.history import History
from tests import homes
from tests.asking import taken
from tests.loopback import served
from tests.operating import CHEAP, HERE, NOW
from web import access, audit, login, server
from web.access import COOKIE, PAGES, Access, AccessMiddleware, opened
from web.login import destination
from web.users import FILE_NAME, Users
from web.who import who

GOOD = "hujan di bulan juni"
FAR = "203.0.113.7"
ASKED = "Siapa yang meresmikan Pelabuhan Batu Layar?"
ROLES = ("reader", "editor", "operator")


def basic(name, password):
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with an account of each role, named as it, and one more reader."""
    home = homes.harbour(tmp_path_factory.mktemp("akun"))
    users = Users(home, cost=CHEAP)
    for name in ROLES:
        users.add(name, GOOD, name)
    users.add("ani", GOOD)
    return home


@pytest.fixture(scope="module")
def entry(home):
    return Access(Users(home, cost=CHEAP), here=False)


@pytest.fixture(scope="module")
def whole(home, entry):
    """The whole server, as others reach it."""

    async def created():
        # Where no event loop runs, Gradio makes one for each lock and leaves it open.
        return server.create(Chat.open(home), app.build, entry)

    return asyncio.run(created())


def browser(served, address=FAR, base="https://arsip.example", **headers):
    """Return a browser at an address; underscores in names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(served, base, client=(address, 50_000), headers=named, follow_redirects=False)


def logged_in(served, name, password=GOOD, **options):
    found = browser(served, **options)
    answer = found.post("/masuk", data={"nama": name, "sandi": password})
    assert answer.status_code == 303, answer.text
    return found


def telling(entry):
    """Return a small server that says who asks, behind the login."""
    made = FastAPI()

    @made.get("/{path:path}")
    def told(request: Request) -> dict[str, object]:
        found = who(request)
        return {
            "name": found.name,
            "role": found.role,
            "address": found.address,
            "owner": found.owner,
            "scheme": request.url.scheme,
        }

    routes = FastAPI()
    routes.include_router(login.router(entry, "Arsip", 30.0))
    routes.mount("/", made)
    routes.add_middleware(AccessMiddleware, access=entry)
    return routes


# Who may listen where --------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_alone_needs_nothing(tmp_path, host):
    entry = opened(tmp_path, host, ServeSettings(), environ={})
    assert entry.warnings() == []
    assert browser(telling(entry), "127.0.0.1", HERE).get("/x").json()["role"] == "operator"


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.168.1.9", "arsip.example", "0"])
def test_others_need_accounts_a_proxy_or_an_open_door(tmp_path, home, host):
    with pytest.raises(SettingsError) as caught:
        opened(tmp_path, host, ServeSettings(), environ={})
    for way in ("tanya user add NAME", "--behind-proxy", "--open"):
        assert way in str(caught.value)
    assert "plain text" in opened(home, host, ServeSettings(), environ={}).warnings()[0]
    proxy = ServeSettings(behind_proxy=True, trusted=("10.0.0.5",))
    assert opened(tmp_path, host, proxy, environ={}).warnings() == []
    [told] = opened(tmp_path, host, ServeSettings(), open_to_all=True, environ={}).warnings()
    assert told.startswith("--open: everybody")
    with pytest.raises(SettingsError, match="trusted"):
        opened(home, host, ServeSettings(behind_proxy=True), environ={})


def test_the_password_of_the_operators_is_told_to_be_gone(tmp_path):
    with pytest.raises(SettingsError, match="accounts take its place.*--role operator"):
        opened(tmp_path, "127.0.0.1", ServeSettings(), environ={access.PASSWORD: "rahasia"})
    opened(tmp_path, "127.0.0.1", ServeSettings(), environ={access.PASSWORD: ""})


def test_the_commands_refuse_as_well(tmp_path):
    homes.harbour(tmp_path)
    for command in (("serve", "--host", "0.0.0.0"), ("mcp", "--http", "0.0.0.0:0")):
        refused = homes.tell(tmp_path, *command)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "--open" in refused.stderr
    (tmp_path / "tanya.toml").write_text('[chat]\nhost = "0.0.0.0"', encoding="utf-8")
    assert "'0.0.0.0' lets in others" in homes.tell(tmp_path, "serve").stderr


# Without accounts ------------------------------------------------------------------------------


def test_without_accounts_a_proxys_visitor_is_a_reader_and_others_are_not_refused(tmp_path):
    here = telling(Access(Users(tmp_path)))
    assert browser(here, "127.0.0.1", HERE).get("/x").json()["role"] == "operator"
    for far in (
        browser(here, "127.0.0.1", HERE, x_forwarded_for="198.51.100.1"),
        browser(here, "127.0.0.1", "http://arsip.example"),
    ):
        told = far.get("/pengelola").json()
        assert (told["role"], told["name"], told["address"]) == ("reader", "", "127.0.0.1")
        assert far.get("/metrics").status_code == 403
    assert browser(here, "127.0.0.1", HERE).get("/masuk").headers["location"] == "/"


def test_the_first_account_shuts_the_door_and_its_removal_leaves_others_out(tmp_path):
    users = Users(tmp_path, cost=CHEAP)
    here, there = telling(Access(users)), telling(Access(users, here=False))
    one, other = browser(here, "127.0.0.1", HERE), browser(there)
    assert one.get("/x").status_code == 200
    users.add("ani", GOOD)
    assert one.get("/x").status_code == 401
    users.remove("ani")
    assert one.get("/x").status_code == 200
    assert other.get("/x").status_code == 401
    assert "WWW-Authenticate" in other.get("/x").headers
    assert other.get("/").status_code == 401


def test_an_open_door_makes_readers_and_lets_accounts_in(home):
    served = telling(Access(Users(home, cost=CHEAP), here=False, open_to_all=True))
    assert browser(served).get("/x").json()["role"] == "reader"
    assert browser(served, "127.0.0.1", HERE).get("/x").json()["role"] == "reader"
    assert logged_in(served, "operator").get("/x").json()["role"] == "operator"
    assert browser(served).get("/readyz").status_code == 403


def test_accounts_that_cannot_be_read_let_nobody_in(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"bukan basis data" * 100)
    far = browser(telling(Access(Users(tmp_path))), "127.0.0.1", HERE)
    for path in ("/x", "/", "/api/search", "/page/conversations"):
        refused = far.get(path)
        assert refused.status_code == 503, path
        assert "location" not in refused.headers
    assert far.get("/healthz").status_code == 200


# The login -------------------------------------------------------------------------------------


def test_nobody_sees_anything_but_the_login(whole):
    far = browser(whole)
    for page in PAGES:
        sent = far.get(f"{page}?percakapan=a%26b")
        assert sent.status_code == 303
        begun = far.get(sent.headers["location"])
        assert begun.status_code == 200
        assert f'name="ke" value="{page}?percakapan=a%26b"' in begun.text
        assert begun.headers["cache-control"] == "no-store"
    problem = far.post("/api/ask", json={"question": ASKED})
    assert problem.status_code == 401
    assert set(problem.json()) == {"error", "hint"}
    assert "Bearer" in problem.headers["www-authenticate"]
    # A browser would ask for a password by itself.
    assert "Basic" not in far.get("/page/conversations").headers["www-authenticate"]


def paths(routes, before=""):
    for route in routes:
        if isinstance(route, Mount):
            yield from paths(route.routes or [], before + route.path)
        elif hasattr(route, "path"):
            yield before + route.path, getattr(route, "methods", None) or {"GET"}
        elif hasattr(route, "original_router"):
            yield from paths(route.original_router.routes, before)


def test_every_route_that_there_is_is_shut(whole):
    found = {
        (re.sub(r"\{[^}]*\}", "x", path), method)
        for path, methods in paths(whole.routes)
        for method in methods
    }
    assert {("/gradio_api/queue/join", "POST"), ("/page/operator/build", "POST")} <= found
    assert len(found) > 60
    far = browser(whole)
    free = {"/masuk", "/keluar", "/healthz", "/favicon.ico", "/page/assets/x"}
    for path, method in sorted(found):
        if path not in free:
            status = far.request(method, path, content=b"{}").status_code
            assert status == (303 if path in PAGES and method in ("GET", "HEAD") else 401), path
    for path in ("/page/assets/../conversations", "/page/assets/a/b", "//page/assets/x", "/MASUK"):
        assert far.get(path).status_code in (401, 404), path
        assert "Percakapan" not in far.get(path).text


@pytest.mark.parametrize(
    "path", ["/metrics%0A", "/readyz%0A", "/pengelola%0A", "/page/assets/x%0A"]
)
def test_a_path_that_ends_in_a_new_line_is_none(whole, path):
    for far in (browser(whole), logged_in(whole, "reader")):
        assert far.get(path).status_code == 400


def test_a_login_gives_a_new_session_in_a_careful_cookie(whole, home):
    far = browser(whole, cookie=f"{COOKIE}=dipasang-orang-lain")
    form = {"nama": "READER", "sandi": GOOD, "ke": "/?percakapan=abc"}
    answer = far.post("/masuk", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?percakapan=abc")
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Secure", "Max-Age=2592000"):
        assert part in cookie.split("; "), part
    assert "dipasang" not in cookie
    plain = browser(whole, base="http://arsip.example").post("/masuk", data=form)
    assert "Secure" not in plain.headers["set-cookie"]
    mine = logged_in(whole, "reader")
    assert mine.get("/masuk").headers["location"] == "/"
    before = mine.cookies[COOKIE]
    mine.post("/masuk", data=form)
    assert mine.cookies[COOKIE] != before
    # The one before is over.
    assert browser(whole, cookie=f"{COOKIE}={before}").get("/page/status").status_code == 401


def test_whoever_logs_out_is_out(whole):
    mine = logged_in(whole, "reader")
    kept = mine.cookies[COOKIE]
    assert mine.get("/page/conversations").headers["cache-control"] == "no-store"
    assert mine.post("/keluar").headers["location"] == "/masuk"
    assert COOKIE not in mine.cookies
    for far in (mine, browser(whole, cookie=f"{COOKIE}={kept}")):
        assert far.get("/page/conversations").status_code == 401
        assert far.get("/").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "http:/evil"),
        *("javascript:alert(1)", "/masuk", "/keluar", "/gradio_api/x", "", "///", "http://[", "/."),
        *("/\n/evil.example", "\t//evil.example", "/%2f/evil", "/pengelola/../x", "@evil"),
    ],
)
def test_a_login_leads_nowhere_else(wanted):
    assert destination(wanted) == "/"


def test_a_login_leads_back_to_where_it_was_asked():
    assert destination("/?percakapan=a&jawaban=2#x") == "/?percakapan=a&jawaban=2"
    assert destination("/pengelola") == "/pengelola"
    assert destination('/?a="><b>\r\nX: y') == "/?a=%22%3E%3Cb%3EX:%20y".replace(":", "%3A")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site", "origin": "https://arsip.example"}, 403),
        ({"origin": "https://arsip.example"}, 303),
        ({"sec_fetch_site": "same-origin", "origin": "https://lain.example"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_logs_anybody_in_or_out(whole, headers, status):
    far = browser(whole, **headers)
    answer = far.post("/masuk", data={"nama": "reader", "sandi": GOOD})
    assert answer.status_code == status
    assert (COOKIE in far.cookies) == (status == 303)
    mine = logged_in(whole, "reader")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    mine.post("/keluar", headers=named)
    assert (COOKIE in mine.cookies) == (status == 403)


def test_no_other_site_changes_anything(whole):
    mine = logged_in(whole, "operator", sec_fetch_site="same-origin")
    changing = {
        (re.sub(r"\{[^}]*\}", "x", path), method)
        for path, methods in paths(whole.routes)
        for method in methods - {"GET", "HEAD", "OPTIONS"}
        if not path.startswith(("/api", "/mcp"))
    }
    assert len(changing) > 15
    for headers in ({"sec-fetch-site": "same-site"}, {"origin": "http://arsip.example:8080"}):
        del mine.headers["sec-fetch-site"]
        mine.headers.update(headers)
        for path, method in sorted(changing):
            assert mine.request(method, path, json={}).status_code == 403, path
        mine.headers["sec-fetch-site"] = "same-origin"


def test_logins_are_audited_without_what_was_typed_in_vain(whole, home):
    before = len(list(audit.rows(home)))
    mine = logged_in(whole, "READER", address="198.51.100.77")
    mine.post("/keluar")
    far = browser(whole, "198.51.100.77")
    far.post("/masuk", data={"nama": "kata-sandi-rahasia", "sandi": "salah-rahasia"})
    wrong = browser(whole, "198.51.100.77", authorization=basic("reader", "salah-rahasia"))
    wrong.get("/api/search?q=a")
    whole.state.audit.close()
    told = list(audit.rows(home))[before:]
    assert [(row["event"], row.get("name"), row["address"]) for row in told] == [
        ("login", "reader", "198.51.100.77"),
        ("logout", "reader", "198.51.100.77"),
        ("login_failed", None, "198.51.100.77"),
        ("login_failed", None, "198.51.100.77"),
    ]
    assert "rahasia" not in (home / audit.FILE_NAME).read_text()


def test_what_is_typed_into_the_login_stays_text_and_is_bounded(whole):
    far = browser(whole)
    evil = '"><script>alert(1)</script>{{ 7*7 }}'
    answer = far.post("/masuk", data={"nama": evil, "sandi": evil, "ke": evil})
    assert answer.status_code == 401
    assert "<script>alert" not in answer.text
    assert texts.WRONG_CREDENTIALS in answer.text
    assert far.post("/masuk", content=b"x" * 70_000).status_code == 413
    assert far.post("/masuk", content=b"&".join([b"a=1"] * 50)).status_code == 422
    assert far.post("/masuk", content=b"\xff=\xfe&nama").status_code == 401


# Guessing --------------------------------------------------------------------------------------


@contextmanager
def guessed(home):
    clock = [0.0]
    entry = Access(Users(home, cost=CHEAP), here=False, clock=lambda: clock[0])
    yield telling(entry), clock, entry


def tries(served, address, name, password):
    return browser(served, address).post("/masuk", data={"nama": name, "sandi": password})


def test_wrong_passwords_are_throttled_by_address_for_a_while(home):
    with guessed(home) as (served, clock, _):
        assert [tries(served, FAR, "reader", "salah").status_code for _ in range(5)] == [401] * 5
        refused = tries(served, FAR, "reader", GOOD)
        assert refused.status_code == 429
        assert "Coba lagi 5 menit lagi" in refused.text
        assert refused.headers["retry-after"] == "300"
        # As any name, and by the other door.
        assert tries(served, FAR, "tidak-ada", GOOD).status_code == 429
        by_header = browser(served, FAR, authorization=basic("reader", GOOD))
        assert by_header.get("/api/x").status_code == 429
        assert tries(served, "203.0.113.8", "reader", GOOD).status_code == 303
        clock[0] = 260.0
        assert "Coba lagi 40 detik lagi" in tries(served, FAR, "reader", GOOD).text
        clock[0] = 301.0
        assert tries(served, FAR, "reader", GOOD).status_code == 303


def test_a_right_password_does_not_buy_more_guesses(home):
    with guessed(home) as (served, _, _):
        for _ in range(4):
            assert tries(served, FAR, "operator", "salah").status_code == 401
        assert tries(served, FAR, "ani", GOOD).status_code == 303
        assert tries(served, FAR, "operator", "salah").status_code == 401
        assert tries(served, FAR, "operator", "salah").status_code == 429


def test_a_whole_network_of_ipv6_is_one_address(home):
    with guessed(home) as (served, _, _):
        for number in range(5):
            tries(served, f"2001:db8:1:2::{number + 1:x}", "reader", "salah")
        assert tries(served, "2001:db8:1:2:ffff::1", "reader", GOOD).status_code == 429
        assert tries(served, "2001:db8:1:3::1", "reader", GOOD).status_code == 303


@pytest.mark.parametrize("name", ["operator", "tidak-ada"])
def test_guesses_of_many_addresses_are_throttled_by_name(home, name):
    with guessed(home) as (served, clock, _):
        assert tries(served, "198.51.100.250", "operator", GOOD).status_code == 303
        for number in range(30):
            assert tries(served, f"198.51.100.{number}", name, "salah").status_code == 401
        assert tries(served, "198.51.100.200", name, "salah").status_code == 429
        assert tries(served, "198.51.100.200", "reader", GOOD).status_code == 303
        # Who came from there before is not kept out by others.
        assert tries(served, "198.51.100.250", "operator", GOOD).status_code == 303
        clock[0] = 301.0
        assert tries(served, "198.51.100.200", "operator", GOOD).status_code == 303


def test_guesses_take_bounded_memory_and_sessions_are_not_stopped_by_them(home):
    with guessed(home) as (served, _, entry):
        mine = logged_in(served, "operator")
        for number in range(6):
            tries(served, FAR, "operator", f"salah {number}")
        assert mine.get("/x").json()["name"] == "operator"
        for number in range(10_050):
            entry._of_address.failed(str(number))
        assert len(entry._of_address._failures) == 10_000
        assert entry._of_address.waits(FAR) == 0.0


# Programs --------------------------------------------------------------------------------------


def test_programs_come_in_by_token_or_password(whole, home):
    users = Users(home, cost=CHEAP)
    token = users.add_token("reader")
    for given in (f"Bearer {token}", f"bearer  {token} ", basic("READER", GOOD)):
        found = browser(whole, authorization=given).get("/api/search", params={"q": "pelabuhan"})
        assert found.status_code == 200, given
        assert found.json()["hits"]
        assert found.headers["cache-control"] == "no-store"
        # No page: it gets as far as to be told that.
        mcp = browser(whole, authorization=given, origin="https://arsip.example").get("/mcp")
        assert "Programs are served here" in mcp.text
        # The page is for browsers, which send a password to any site's request.
        assert browser(whole, authorization=given).get("/page/status").status_code == 401
        for path in ("/metrics", "/readyz"):
            assert browser(whole, authorization=given).get(path).status_code != 401
    users.revoke_tokens("reader")
    wrong_ones = (f"Bearer {token}", "Bearer", "Basic %%%", "Basic", "Digest x", basic("x", "y"))
    for number, wrong in enumerate(wrong_ones):
        for path in ("/api/search?q=a", "/mcp", "/metrics"):
            far = browser(whole, f"198.51.100.{number}", authorization=wrong)
            assert far.get(path).status_code == 401, (wrong, path)


def test_an_answer_is_followed_by_whom_it_was_given_alone(whole):
    ani = browser(whole, authorization=basic("ani", GOOD))
    reader = browser(whole, authorization=basic("reader", GOOD))
    first = ani.post("/api/ask", json={"question": ASKED}).json()
    follows = {"question": "Berapa biayanya?", "follows": first["id"]}
    assert reader.post("/api/ask", json=follows).status_code == 404
    assert ani.post("/api/ask", json=follows).status_code == 200


def test_metrics_are_for_this_machine_and_operators(whole):
    assert browser(whole, "127.0.0.1", HERE).get("/metrics").status_code == 200
    assert browser(whole).get("/metrics").status_code == 401
    assert logged_in(whole, "editor").get("/metrics").status_code == 403
    operator = logged_in(whole, "operator")
    assert operator.get("/metrics").status_code == 200
    door = operator.get("/readyz").json()["checks"]["access"]
    assert (door["status"], "plain text" in door["detail"]) == ("warning", True)
    assert browser(whole, "127.0.0.1", HERE, x_forwarded_for=FAR).get("/metrics").status_code == 401


# Roles -----------------------------------------------------------------------------------------

CHANGES = {
    ("/page/feedback", "editor"): {"conversation": "x", "number": 1, "verdict": "good"},
    ("/page/upload/begin", "editor"): {"files": []},
    ("/page/upload/x/add", "editor"): {},
    ("/page/upload/x/cancel", "editor"): {},
    ("/page/operator/build", "operator"): None,
    ("/page/operator/live", "operator"): {"version": "000009"},
    ("/page/operator/prune", "operator"): {"keep": 0},
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_what_it_may(whole, role):
    mine = logged_in(whole, role)
    rank = ROLES.index(role)
    for (path, least), body in CHANGES.items():
        allowed = rank >= ROLES.index(least)
        if allowed and body is None:
            continue
        status = mine.post(path, json=body or {}).status_code
        assert (status != 403) == allowed, (path, status)
    build = mine.post("/page/upload/x/add", json={"build": True}).status_code
    assert build == (404 if role == "operator" else 403)
    for path in ("/page/operator/work", "/page/operator/problems/x"):
        assert (mine.get(path).status_code != 403) == (rank > 0)
    page = mine.get("/pengelola")
    assert page.status_code == (200 if rank else 403)
    assert ("op-drop" in page.text) == (rank > 0)
    for operators_own in ('data-do="build"', "op-build-after", "op-facts", "op-figures"):
        assert (operators_own in page.text) == (role == "operator"), operators_own
    door = mine.get("/page/operator/door").text
    assert ("/pengelola" in door) == (rank > 0)
    assert f"<b>{role}</b>" in door
    assert "/keluar" in door


# Conversations ---------------------------------------------------------------------------------


def kept(home, name, question=ASKED):
    """Return the id of a conversation that an account began, answered."""
    owner = owner_of(home, name)
    history = History.of(home)
    place, number = history.begin(owner, "", question, Filter(), NOW)
    history.finish(place, number, Chat.open(home).ask(question))
    history.close()
    return place


def owner_of(home, name):
    return Users(home, cost=CHEAP).checked(name, GOOD).owner


def test_nobody_opens_anothers_conversation_by_any_route(whole, home):
    place = kept(home, "ani")
    opening = {"id": place}
    for name in (*ROLES, ""):
        other = logged_in(whole, name) if name else browser(whole)
        other.cookies.set("tanya_visitor", owner_of(home, "ani"))
        refused = 404 if name else 401
        assert other.get("/page/conversation", params=opening).status_code == refused
        for form in ("md", "json", "docx"):
            asked = other.get("/page/conversation/export", params={**opening, "form": form})
            assert asked.status_code == refused
        following = other.get("/page/next", params={"conversation": place, "turn": 1})
        assert not following.is_success or following.text == ""
        for path in ("rename", "delete"):
            body = {**opening, "title": "Punyaku"} if path == "rename" else opening
            done = other.post(f"/page/conversation/{path}", json=body)
            assert done.json() != {"done": True}
        said = {"conversation": place, "number": 1, "verdict": "bad", "words": "salah"}
        assert other.post("/page/feedback", json=said).status_code in (401, 403, 404)
        for listing in ("/page/conversations", "/page/conversations?words=pelabuhan"):
            assert "Batu Layar" not in other.get(listing).text
    ani = logged_in(whole, "ani", address="198.51.100.99")
    assert "Rahmat Hidayat" in ani.get("/page/conversation", params=opening).text
    assert "Batu Layar" in ani.get("/page/conversations").text


def test_a_question_into_anothers_conversation_begins_ones_own(home):
    place = kept(home, "ani")
    chat = Chat.open(home)
    from web.answering import Answering

    answering = Answering(chat, History.of(home))
    sent = {"text": "Siapa juara voli?", "conversation": place}
    *_, last = taken(app.answered(answering, sent, owner_of(home, "operator")))
    assert f'data-conversation="{place}"' not in last
    assert len(answering.history.turns(owner_of(home, "ani"), place)) == 1
    answering.history.close()


def test_who_asks_is_not_told_to_operators(whole, home):
    place = kept(home, "ani", "Siapa juara catur Wamena?")
    Users(home, cost=CHEAP).set_role("ani", "editor")
    said = {"conversation": place, "number": 1, "verdict": "bad"}
    assert logged_in(whole, "ani").post("/page/feedback", json=said).status_code == 200
    page = logged_in(whole, "operator").get("/pengelola").text
    assert "catur Wamena" in page
    assert not re.search(r"\bani\b", page)
    assert owner_of(home, "ani") not in page
    assert place not in page
    Users(home, cost=CHEAP).set_role("ani", "reader")


def test_a_reader_sees_no_buttons_of_a_verdict(whole, home):
    for name in ("reader", "editor"):
        place = kept(home, name)
        shown = logged_in(whole, name).get("/page/conversation", params={"id": place}).text
        assert ("judge-good" in shown) == (name == "editor")


def test_who_is_logged_out_while_a_question_waits_gets_no_answer(home):
    from web.answering import Answering

    answering = Answering(Chat.open(home), History(None))
    [refused] = taken(app.answered(answering, {"text": ASKED}, "u1", still=lambda: False))
    assert texts.SIGN_IN_NEEDED in refused
    assert answering.history.conversations("u1") == []
    steps = iter([True, True, False])
    shown = taken(app.answered(answering, {"text": ASKED}, "u1", still=lambda: next(steps)))
    assert texts.SIGN_IN_NEEDED in shown[-1]
    assert not any("Rahmat" in each for each in shown)
    asked = taken(app.answered(answering, {"text": ASKED}, "u1", judging=False))
    assert "Rahmat" in asked[-1]
    assert "judge-good" not in asked[-1]


def test_gradios_queue_asks_in_the_name_of_the_account(whole, home):
    page = logged_in(whole, "reader").get("/").text
    config = json.loads(re.search(r"gradio_config = (.*?);</script>", page)[1])
    [component] = [c["id"] for c in config["components"] if c["props"].get("elem_id") == "ta-live"]
    [trigger] = [each["id"] for each in config["dependencies"]]
    joined = {
        "data": [None],
        "fn_index": trigger,
        "session_hash": "abc123",
        "trigger_id": component,
        "event_data": {"text": ASKED},
    }
    with served(whole) as address, httpx2.Client(base_url=address) as client:
        form = {"nama": "reader", "sandi": GOOD}
        assert client.post("/gradio_api/queue/join", json=joined).status_code == 401
        assert client.post("/masuk", data=form).status_code == 303
        assert client.post("/gradio_api/queue/join", json=joined).status_code == 200
        with client.stream("GET", "/gradio_api/queue/data?session_hash=abc123") as told:
            assert told.status_code == 200
            for line in told.iter_lines():
                if "process_completed" in line:
                    break
        assert '"success": true' in line or '"success":true' in line, line
        # Somebody else who knows its name, alone or among names of their own.
        with httpx2.Client(base_url=address) as other:
            assert other.post("/masuk", data={**form, "nama": "ani"}).status_code == 303
            assert other.post("/gradio_api/queue/join", json=joined).status_code == 403
            own = {**joined, "session_hash": "lain"}
            assert other.post("/gradio_api/queue/join", json=own).status_code == 200
            for names in ("abc123", "lain&session_hash=abc123", "abc123&session_hash=lain", "baru"):
                data = other.get(f"/gradio_api/queue/data?session_hash={names}")
                assert data.status_code == 404, names
            for wrong in ({**joined, "session_hash": 7}, {**joined, "session_hash": ""}, [joined]):
                assert other.post("/gradio_api/queue/join", json=wrong).status_code == 422
        client.post("/keluar")
        assert client.post("/gradio_api/queue/join", json=joined).status_code == 401
        data = client.get("/gradio_api/queue/data?session_hash=abc123")
        assert data.status_code == 401
    history = History.of(home)
    titles = [each.title for each in history.conversations(owner_of(home, "reader"))]
    assert ASKED in titles
    history.close()


# Proxies ---------------------------------------------------------------------------------------

PROXY = "10.0.0.5"
BEHIND = ServeSettings(
    behind_proxy=True,
    trusted=(PROXY, "10.1.0.0/16", "fd00::/8"),
    role_header="X-Remote-Role",
    roles=("Budi=operator",),
)


@pytest.fixture
def behind(tmp_path):
    return telling(Access(Users(tmp_path), BEHIND, here=False))


def test_a_trusted_proxy_names_its_users(behind):
    named = browser(behind, PROXY, x_remote_user="BUDI", x_forwarded_for=FAR).get("/x").json()
    assert (named["name"], named["role"], named["address"]) == ("budi", "operator", FAR)
    assert named["owner"].startswith("u")
    again = browser(behind, "10.1.2.3", x_remote_user="budi").get("/y").json()
    assert again["owner"] == named["owner"]
    assert browser(behind, PROXY, x_remote_user="ani").get("/x").json()["role"] == "reader"
    for sent, role in (("editor", "editor"), ("root", "reader"), ("", "reader")):
        far = browser(behind, PROXY, x_remote_user="budi", x_remote_role=sent)
        assert far.get("/x").json()["role"] == role


@pytest.mark.parametrize("peer", [FAR, "127.0.0.1", "10.0.0.6", "testclient"])
def test_nobody_else_names_users_and_that_is_logged(behind, peer, caplog):
    base = HERE if peer == "127.0.0.1" else "http://arsip.example"
    far = browser(behind, peer, base, x_remote_user="budi", x_forwarded_for=PROXY)
    assert far.get("/x").status_code == 401
    assert far.get("/").status_code == 401
    assert texts.UNNAMED_BY_PROXY in far.get("/").text
    assert [record.getMessage().count(peer) for record in caplog.records] == [1]
    assert browser(behind, peer, base).get("/x").status_code == 401


def test_a_name_that_comes_twice_or_is_none_is_refused(behind):
    twice = [("x-remote-user", "budi"), ("x-remote-user", "ani")]
    assert browser(behind, PROXY).get("/x", headers=twice).status_code == 401
    for wrong in ("", " ", "a b", "x" * 65, "budi,ani"):
        assert browser(behind, PROXY, x_remote_user=wrong).get("/x").status_code == 401


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, "203.0.113.7", "203.0.113.7"),
        (PROXY, "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        (PROXY, "1.1.1.1, 203.0.113.7, 10.1.9.9", "203.0.113.7"),
        (PROXY, "10.1.9.9", "10.1.9.9"),
        (PROXY, "203.0.113.7:4711", "203.0.113.7"),
        (PROXY, "[2001:db8::1]:4711", "2001:db8::1"),
        (PROXY, "2001:db8::1", "2001:db8::1"),
        (PROXY, "::ffff:203.0.113.7", "203.0.113.7"),
        (PROXY, "1.1.1.1, unknown", PROXY),
        (PROXY, "1.1.1.1, , 10.1.9.9", "10.1.9.9"),
        (PROXY, "", PROXY),
        ("::ffff:10.0.0.5", "203.0.113.7", "203.0.113.7"),
        ("fd00::1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.6", "203.0.113.7", "10.0.0.6"),
    ],
)
def test_the_address_is_the_last_one_that_no_proxy_of_ours_has(tmp_path, peer, forwarded, address):
    settings = ServeSettings(trusted=BEHIND.trusted)
    served = telling(Access(Users(tmp_path), settings, here=False, open_to_all=True))
    far = browser(served, peer, "http://a.example", x_forwarded_for=forwarded)
    assert far.get("/x").json()["address"] == address


def test_the_scheme_is_the_proxys_word_where_it_is_trusted(home):
    settings = ServeSettings(trusted=(PROXY,))
    behind = telling(Access(Users(home, cost=CHEAP), settings, here=False))
    form = {"nama": "reader", "sandi": GOOD}
    for peer, proto, secure in (
        (PROXY, "https", True),
        (PROXY, "http, https", True),
        (PROXY, "http", False),
        (PROXY, "javascript", False),
        (PROXY, "https|http", False),
        (FAR, "https", False),
    ):
        far = browser(behind, peer, "http://arsip.example")
        # A browser's own, and the proxy's after it.
        told = [
            ("x-forwarded-proto", each) for each in (proto if type(proto) is tuple else [proto])
        ]
        cookie = far.post("/masuk", data=form, headers=told).headers["set-cookie"]
        assert ("Secure" in cookie) == secure, (peer, proto)


def test_failures_are_counted_by_the_persons_address_behind_a_proxy(home):
    settings = ServeSettings(trusted=(PROXY,))
    behind = telling(Access(Users(home, cost=CHEAP), settings, here=False))
    guesser = browser(behind, PROXY, x_forwarded_for=FAR)
    for _ in range(5):
        guesser.post("/masuk", data={"nama": "reader", "sandi": "salah"})
    form = {"nama": "reader", "sandi": GOOD}
    assert guesser.post("/masuk", data=form).status_code == 429
    # What the browser adds by itself stands further left.
    lying = browser(behind, PROXY, x_forwarded_for=f"9.9.9.9, {FAR}")
    assert lying.post("/masuk", data=form).status_code == 429
    other = browser(behind, PROXY, x_forwarded_for="203.0.113.9")
    assert other.post("/masuk", data=form).status_code == 303
