"""The log: one line or one JSON object an event, to standard error, with the id of its request.

Whatever stands in a path, a name or an error, no event looks like two, and none like another.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, TextIO

from index.settings import LogSettings

DEBUG = "TANYA_DEBUG"
"""The environment variable that has everything logged, whatever the settings say."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being served; threads get it where they are started with it."""

_LONGEST = 2_000


def plain(text: str, most: int = _LONGEST) -> str:
    """Return a text on one line in which control, invisible and bidi characters are escapes."""
    kept = text if len(text) <= most else f"{text[:most]}…"
    if kept.isprintable():
        return kept
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in kept)


def facts(**found: object) -> dict[str, dict[str, object]]:
    """Return values that go with an event, as its `extra`: fields in JSON, name=value in lines."""
    return {"facts": found}


def _event(record: logging.LogRecord) -> dict[str, object]:
    """Return what an event consists of, by name; what it lacks is left out."""
    given: Mapping[str, object] = getattr(record, "facts", {})
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
    event: dict[str, object] = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "request_id": given.get("request_id") or request_id.get(),
        "message": record.getMessage(),
        **given,
    }
    return {name: value for name, value in event.items() if value not in ("", None)}


class Lines(logging.Formatter):
    """Writes an event as a line; a traceback stands below it, each line of it behind a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of an event."""
        event = _event(record)
        head = [event.pop(name, "") for name in ("time", "level", "logger")]
        asked, message = event.pop("request_id", "-"), event.pop("message", "")
        given = "".join(f" {name}={_value(value)}" for name, value in event.items())
        line = plain(f"{' '.join(map(str, head))} [{asked}] {message}{given}")
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        return "\n".join([line, *(f"  | {plain(each)}" for each in trace.splitlines())])


def _value(value: object) -> str:
    # A text of blanks and signs of equality would else look like more values.
    if isinstance(value, float):
        return f"{value:.3f}"
    written = str(value)
    return json.dumps(written, ensure_ascii=False) if set(' ="') & set(written) else written


class Json(logging.Formatter):
    """Writes an event as one JSON object on a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of an event."""
        event = _event(record)
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return as_json(event)


def as_json(row: Mapping[str, object]) -> str:
    """Return a row as JSON on one line, with every character outside printable ASCII escaped."""

    def cut(value: object) -> object:
        if isinstance(value, float):
            return round(value, 6)
        return value

    written = json.dumps({name: cut(value) for name, value in row.items()}, default=str)
    return written.replace("\x7f", "\\u007f")


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(settings: LogSettings, environ: Mapping[str, str] = os.environ) -> None:
    """Log to standard error as the settings say: for a whole process, once more at any time."""
    handler = _Stderr()
    handler.setFormatter(Json() if settings.format == "json" else Lines())
    level = "DEBUG" if environ.get(DEBUG) else settings.level.upper()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tanya").setLevel(level)
    logging.captureWarnings(True)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _thread_failed


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_type is not SystemExit:
        error = failed.exc_value or failed.exc_type()
        told: Any = (failed.exc_type, error, failed.exc_traceback)
        name = failed.thread.name if failed.thread else "?"
        logging.getLogger("tanya").error("the thread %s failed", name, exc_info=told)
