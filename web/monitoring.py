"""Makes a server seen from outside: its log, its audit log, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from qa.chat import Chat
from web import health
from web.audit import Audit
from web.health import Examiner, Queue
from web.metrics import Metrics
from web.requests import RequestLog


def add(app: FastAPI, chat: Chat, queue: Callable[[], Queue]) -> Audit:
    """Add what tells of an application to it, as the outermost middleware so far.

    `queue` says how many questions are being answered. Close the audit log that is returned when
    the server stops.
    """
    audit = Audit(chat.home, chat.settings.log)
    examiner = Examiner(chat, queue)
    metrics = Metrics(examiner.examine, lambda: audit.lost)
    app.add_middleware(RequestLog, metrics, audit)
    app.include_router(health.router(examiner))
    app.include_router(metrics.router())
    return audit
