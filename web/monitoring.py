"""Makes a server seen from outside: its log, its audit log, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from qa.chat import Chat
from web import health
from web.audit import Audit, user
from web.health import Examiner, Queue
from web.metrics import Metrics
from web.requests import RequestLog, Served, serving
from web.who import Who, remember


def add(
    app: FastAPI, chat: Chat, queue: Callable[[], Queue], warnings: Sequence[str] = ()
) -> Audit:
    """Add what tells of an application to it, as the outermost middleware so far.

    `queue` says how many questions are being answered, `warnings` what is dangerous about who is
    let in. Close the audit log that is returned when the server stops.
    """
    audit = Audit(chat.home, chat.settings.log)
    examiner = Examiner(chat, queue, warnings)
    metrics = Metrics(examiner.examine, lambda: audit.lost)
    app.add_middleware(RequestLog, metrics, audit)
    app.include_router(health.router(examiner))
    app.include_router(metrics.router())
    return audit


@contextmanager
def alone(chat: Chat, queue: Callable[[], Queue]) -> Iterator[None]:
    """Write into the audit log what a program of this machine's user asks for meanwhile."""
    connection = HTTPConnection({"type": "http", "headers": []})
    remember(connection, Who(user(), "operator", ""))
    with closing(Audit(chat.home, chat.settings.log)) as audit:
        metrics = Metrics(Examiner(chat, queue).examine, lambda: audit.lost)
        with serving(Served("", connection, metrics, audit)):
            yield
