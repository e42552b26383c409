"""What is told of each question, whichever way it came: in the log, the metrics, the audit log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict

from index import logs
from index.errors import BusyError, StoppingError
from index.records import Turn
from qa.question.small_talk import SMALL_TALK
from web import requests
from web.metrics import Asked, Door, Outcome

logger = logging.getLogger("tanya.questions")


def observed(turns: Iterator[Turn], door: Door, question: str) -> Iterator[Turn]:
    """Yield the turns of a question as they come, and tell of it when it is over."""
    return _observed(turns, door, question, requests.served())


def _observed(
    turns: Iterator[Turn], door: Door, question: str, served: requests.Served | None
) -> Iterator[Turn]:
    began = time.perf_counter()
    first: float | None = None
    turn: Turn | None = None
    outcome: Outcome = "failed"
    try:
        for turn in turns:
            if first is None and turn.answer.claims:
                first = time.perf_counter() - began
            yield turn
        outcome = _outcome(turn)
    except (StoppingError, GeneratorExit):
        outcome = "stopped"
        raise
    except BusyError:
        outcome = "busy"
        raise
    finally:
        _tell(Asked(door, outcome, time.perf_counter() - began, first, turn), question, served)


def refused(door: Door, question: str = "") -> None:
    """Tell of a question that was sent away, for too much is asked at once."""
    _tell(Asked(door, "busy", 0.0), question, requests.served())


def _outcome(turn: Turn | None) -> Outcome:
    if turn is None:
        return "failed"
    if turn.query.kind == SMALL_TALK:
        return "small_talk"
    return "answered" if turn.answer.status == "answered" else _refusals[turn.answer.status]


_refusals: dict[str, Outcome] = {"no_evidence": "no_evidence", "unsupported": "unsupported"}


def _tell(asked: Asked, question: str, served: requests.Served | None) -> None:
    turn = asked.turn
    answer = turn.answer if turn else None
    told: dict[str, object] = {
        "door": asked.door,
        "status": asked.outcome,
        "version": answer.evidence.version if answer else "",
        "seconds": asked.seconds,
    }
    stages = asdict(turn.timings) if turn else {}
    dropped = len(answer.dropped) if answer else 0
    ours = {"request_id": served.id} if served else {}
    more = logs.facts(**ours, **told, first_words=asked.first, **stages, dropped=dropped)
    logger.info("a question is over", extra=more)
    if served:
        served.metrics.asked(asked)
        cited = [c.passage.article_id for c in answer.citations] if answer else []
        articles = list(dict.fromkeys(cited))
        served.note("question", question=question, **told, cited=articles)
