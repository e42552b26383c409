"""What the server counts, as Prometheus reads it; a registry of its own for each server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from index.records import Turn
from web.health import Health

Door = Literal["page", "api"]
"""Where a question came in: by the chat, or from a program."""

Outcome = Literal[
    "answered", "no_evidence", "unsupported", "small_talk", "failed", "busy", "stopped"
]
"""How a question ended: by its answer, with an error, not begun, or as nobody waited for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is over; `first` are the seconds until words were seen, None if none were."""

    door: Door
    outcome: Outcome
    seconds: float
    first: float | None = None
    turn: Turn | None = None


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60)
_STAGE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 20)


class Metrics:
    """Counts what goes on; `health` tells at each scrape how things stand."""

    def __init__(self, health: Callable[[], Health], lost: Callable[[], int]) -> None:
        self._registry = own = CollectorRegistry(auto_describe=False)
        self._questions = Counter(
            "tanya_questions",
            "Questions by how they ended; no_evidence and unsupported are refusals.",
            ["status", "door"],
            registry=own,
        )
        self._seconds = Histogram(
            "tanya_question_seconds",
            "From a question's first step to its complete answer.",
            buckets=_SECONDS,
            registry=own,
        )
        self._first = Histogram(
            "tanya_first_words_seconds",
            "From a question's first step to the first sentence of its answer.",
            buckets=_SECONDS,
            registry=own,
        )
        self._stages = Histogram(
            "tanya_stage_seconds",
            "How long each stage of a question took; write is also the check.",
            ["stage"],
            buckets=_STAGE_SECONDS,
            registry=own,
        )
        self._claims = Counter("tanya_claims", "Sentences that were shown.", registry=own)
        self._dropped = Counter(
            "tanya_claims_dropped", "Sentences that did not pass the check.", registry=own
        )
        self._llm = Counter(
            "tanya_llm_failures",
            "Answers that the language model should have written and did not, or not whole.",
            registry=own,
        )
        self._requests = Counter(
            "tanya_http_requests",
            "HTTP requests by the template of their route.",
            ["method", "route", "status"],
            registry=own,
        )
        for status in ("answered", "no_evidence", "unsupported", "failed", "busy"):
            for door in ("page", "api"):
                self._questions.labels(status, door)
        for stage in ("understand", "search", "read", "write"):
            self._stages.labels(stage)
        own.register(_Standing(health, lost))
        ProcessCollector(registry=own)

    def requested(self, method: str, route: str, status: int) -> None:
        """Count a request that went to a route, "" for none, given as its template."""
        named = method if method in _METHODS else "other"
        self._requests.labels(named, route or "none", str(status)).inc()

    def asked(self, asked: Asked) -> None:
        """Count a question that is over."""
        self._questions.labels(asked.outcome, asked.door).inc()
        if asked.first is not None:
            self._first.observe(asked.first)
        turn = asked.turn
        if turn is None or asked.outcome in ("failed", "busy", "stopped", "small_talk"):
            return
        self._seconds.observe(asked.seconds)
        for stage, seconds in asdict(turn.timings).items():
            self._stages.labels(stage).observe(seconds)
        self._claims.inc(len(turn.answer.claims))
        self._dropped.inc(len(turn.answer.dropped))
        # Only what a language model should have written has a remark on how it came to be.
        self._llm.inc(bool(turn.answer.remark))

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics and their content type, in the form that a scraper accepts."""
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    def router(self) -> APIRouter:
        """Return the route that Prometheus scrapes."""
        routes = APIRouter()

        @routes.get("/metrics", include_in_schema=False)
        def scraped(request: Request) -> Response:
            text, kind = self.text(request.headers.get("accept", ""))
            return Response(text, headers={"content-type": kind, "cache-control": "no-store"})

        return routes


class _Standing:
    """Gauges that are read anew at each scrape."""

    def __init__(self, health: Callable[[], Health], lost: Callable[[], int]) -> None:
        self._health, self._lost = health, lost

    def collect(self) -> Iterable[Metric]:
        """Yield the gauges; what is not known is left out."""
        for name, (value, about) in _gauges(self._health(), self._lost()).items():
            if value is not None:
                yield GaugeMetricFamily(f"tanya_{name}", about, value=value)


def _gauges(health: Health, lost: int) -> dict[str, tuple[float | None, str]]:
    live = health.version
    return {
        "ready": (
            health.ready,
            "Whether a question could be answered: /readyz has the checks.",
        ),
        "index_version": (int(live.name) if live else None, "The number of the live version."),
        "index_articles": (live.articles if live else None, "Articles in the live version."),
        "index_passages": (live.passages if live else None, "Passages in the live version."),
        "index_newest_age_seconds": (
            health.newest_age,
            "Seconds since the day of the newest article began.",
        ),
        "index_build_age_seconds": (health.build_age, "Seconds since the live version was built."),
        "index_stale": (health.stale > 0, "Whether the news are older than [chat] stale_after."),
        "index_damaged": (bool(health.trouble), "Whether a version is damaged: `tanya doctor`."),
        "articles_waiting": (health.waiting, "Articles that wait for a build."),
        "versions": (health.versions, "Versions that are kept."),
        "questions_running": (health.running, "Questions that are being answered."),
        "questions_waiting": (health.queued, "Questions that wait for their turn."),
        "disk_free_bytes": (health.free, "Room on the disk of the home."),
        "audit_lost_lines": (lost, "Lines of the audit log that could not be written."),
    }
