"""What may come in and go out by HTTP: hosts, sizes, headers, Gradio's closed routes."""

import http.client
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import homes
from web.front import Hosts, is_open

ROOT = Path(__file__).parents[1]

# What the page asks of Gradio (see the test in tests/test_chat_browser.py that drives it).
OPEN = {
    ("GET", "/"),
    ("GET", "/assets/{path:path}"),
    ("GET", "/favicon.ico"),
    ("GET", "/gradio_api/app_id"),
    ("GET", "/gradio_api/queue/data"),
    ("GET", "/static/{path:path}"),
    ("GET", "/theme.css"),
    ("POST", "/gradio_api/queue/join"),
}
SCRIPT = "/static/js/iframeResizer.contentWindow.min.js"


SERVER = """
import json, sys
from pathlib import Path
import app
from qa.chat import Chat
from web import access, server

def walk(routes):
    for each in routes:
        # FastAPI keeps the routes of a router together.
        inner = getattr(each, "original_router", each)
        yield from walk(inner.routes) if hasattr(inner, "routes") else [each]

made = []
create = server.create
server.create = lambda *given: made.append(create(*given)) or made[0]
chat = Chat.open(Path(sys.argv[1]))
entry = access.opened(chat.home, "127.0.0.1", chat.settings.serve)
running = server.start(chat, app.build, "127.0.0.1", 0, entry)
gradio = made[0].router.routes[-1].app.gradio
table = [[method, each.path] for each in walk(gradio.routes) for method in each.methods]
print(json.dumps([running.address, table]), flush=True)
sys.stdin.read()
running.stop()
"""


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A server over a home in a process of its own: its host and port, and Gradio's routes."""
    home = homes.harbour(tmp_path_factory.mktemp("home"))
    command = [sys.executable, "-c", SERVER, str(home)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        address, table = json.loads(process.stdout.readline())
        yield address.removeprefix("http://").rstrip("/"), {tuple(route) for route in table}
        process.stdin.close()


@pytest.fixture
def running(begun):
    return begun[0]


def asked(address, path, method="GET", body=None, **headers):
    """Send a request; return the status, the headers and the body of the response."""
    connection = http.client.HTTPConnection(address, timeout=30)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    response = connection.getresponse()
    found = response.status, response.headers, response.read().decode("utf-8", "replace")
    connection.close()
    return found


# Gradio's routes ---------------------------------------------------------------------------------


def test_of_gradio_only_what_the_page_asks_for_is_open(begun):
    table = begun[1]
    assert len(table) > 60 and ("POST", "/gradio_api/upload") in table
    found = {route for route in table if is_open(route[0], re.sub(r"\{.*\}", "x", route[1]))}
    assert found | {("GET", "/static/{path:path}")} == {*OPEN, ("HEAD", "/")}
    assert is_open("GET", SCRIPT)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file=/etc/hostname"),
        ("GET", "/gradio_api/proxy=http://contoh.example"),
        ("GET", "/gradio_api/info"),
        ("GET", "/config"),
        ("GET", "/static/img/logo.svg"),
        ("GET", "/assets/../config"),
        ("POST", "/gradio_api/component_server"),
        ("GET", "/gradio_api/heartbeat/x"),
        ("POST", "/login"),
        ("GET", "/monitoring"),
        ("GET", "//config"),
        ("POST", "/gradio_api/queue/join/"),
    ],
)
def test_a_closed_route_is_not_found(running, method, path):
    status, _, body = asked(running, path, method, b"x" if method == "POST" else None)
    assert (status, body) == (404, '{"detail":"Tidak ada apa-apa di alamat ini."}')


def test_questions_come_from_our_own_page(running):
    body = b'{"session_hash": "uji"}'
    send = {"method": "POST", "body": body, "path": "/gradio_api/queue/join"}
    assert asked(running, content_type="text/plain", **send)[0] == 415
    json_type = {"content_type": "application/json"}
    other = {"sec_fetch_site": "cross-site", **json_type}
    assert asked(running, **send, **other)[0] == 403
    assert asked(running, **send, origin="http://evil.example", **json_type)[0] == 403
    status, headers, _ = asked(running, **send, sec_fetch_site="same-origin", **json_type)
    assert status == 422 and "access-control-allow-origin" not in headers


# Hosts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listening", "host", "known"),
    [
        ("127.0.0.1", "127.0.0.1:7860", True),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "LocalHost.:7860", True),
        ("127.0.0.1", "[::1]:7860", True),
        ("127.0.0.1", "arsip.contoh.example:443", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "evil.example@127.0.0.1:x", False),
        ("127.0.0.1", "192.0.2.7", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "[::1", False),
        ("192.0.2.7", "192.0.2.7:80", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("0.0.0.0", "192.0.2.8", True),
        ("::", "[2001:db8::1]", True),
        ("0.0.0.0", "evil.example", False),
        ("mesin.contoh.example", "mesin.contoh.example", True),
        ("mesin.contoh.example", "192.0.2.7", False),
    ],
)
def test_a_server_is_called_by_its_own_names(listening, host, known):
    assert Hosts(listening, ["Arsip.contoh.example"]).know(host) is known


def test_another_name_is_refused_in_plain_words(running):
    status, _, body = asked(running, "/", host="evil.example")
    assert status == 400 and "'evil.example'" in body and "allowed_hosts" in body
    status, _, body = asked(running, "/api/search?q=x", host="evil.example")
    assert status == 400 and set(json.loads(body)) == {"error", "hint"}


def test_what_a_proxy_is_said_to_say_is_not_echoed(running):
    _, _, body = asked(
        running,
        "/?x=1",
        x_forwarded_host="evil.example",
        x_forwarded_proto="https",
        x_gradio_server="http://evil.example",
        forwarded="host=evil.example",
    )
    assert f'"root":"http://{running}"' in body and "evil.example" not in body


# Headers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/pengelola", "/api", "/healthz", "/page/welcome", "/config", "/theme.css", "/x"]
)
def test_every_response_has_the_headers(running, path):
    _, headers, _ = asked(running, path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy and "http" not in policy
    assert ("'unsafe-inline'" in policy) == (path == "/")
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"] and "server" not in headers
    assert (headers["cache-control"] == "no-store") == (path != "/theme.css")


def test_each_page_has_a_nonce_of_its_own(running):
    seen = set()
    for _ in range(2):
        _, headers, body = asked(running, "/", accept_encoding="gzip, br")
        nonce = re.search(r"script-src 'self' 'nonce-([\w-]+)'", headers["content-security-policy"])
        inline = re.findall(r"<script(?![^>]*src)[^>]*>", body)
        assert len(inline) > 3 and all(f'nonce="{nonce[1]}"' in tag for tag in inline)
        assert body.index("functions.js") < body.index("gradio_config")
        seen.add(nonce[1])
    assert len(seen) == 2


# Sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/gradio_api/queue/join", "/api/ask", "/mcp", "/page/feedback", "/page/operator/build"]
)
def test_a_long_body_is_refused_before_it_comes(running, path):
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {running}\r\nContent-Type: application/json\r\n"
        "Content-Length: 100000000\r\n\r\n"
    )
    assert sent_raw(running, head.encode()).startswith(b"HTTP/1.1 413 ")


def test_a_long_body_that_does_not_say_so_is_refused_on_its_way(running):
    head = b"POST /api/ask HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    found = sent_raw(running, head, *[b"1000\r\n" + b"a" * 0x1000 + b"\r\n"] * 17)
    assert found.startswith(b"HTTP/1.1 413 ") and b"64 kB" in found


def sent_raw(address, *parts):
    """Send bytes; return what comes back until the server closes."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        for part in parts:
            connection.sendall(part)
        with connection.makefile("rb") as file:
            return file.read()


def test_addresses_are_bounded(running):
    assert asked(running, "/page/filter?after=" + "a" * 13_000)[0] == 414
    assert asked(running, "/page/filter?" + "a&" * 1_200)[0] == 414
    assert sent_raw(running, b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000).startswith(b"HTTP/1.1 400 ")


def test_bodies_are_shallow(running):
    send = {"method": "POST", "content_type": "application/json", "path": "/api/ask"}
    deep = b'{"question": ' + b"[" * 70 + b"]" * 70 + b"}"
    assert asked(running, body=deep, **send)[0] == 400
    flat = json.dumps({"question": "[" * 70, "earlier": [[]] * 70}).encode()
    assert asked(running, body=flat, **send)[0] == 422
