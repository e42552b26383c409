"""What a command needs that runs until it is stopped: signals, and times as people write them."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from index.errors import InputError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}


def seconds(written: str) -> float:
    """Return the seconds of "90s", "5m", "2h" or "1d"; raises InputError."""
    match = re.fullmatch(r"(\d{1,6})([smhd]?)", written.strip())
    if match is None or not int(match[1]):
        raise InputError(f"{written!r} is no time: write it as 90s, 5m, 2h or 1d.")
    return int(match[1]) * _UNITS[match[2]]


@contextmanager
def ended_by_signals() -> Iterator[Callable[[float], None]]:
    """Let SIGTERM, which systemd ends a service with, do what Ctrl-C does; yield how to wait.

    Python drops what a signal raises at some moments; then the next waiting raises it again.
    """
    stopped = False

    def interrupt(*_: object) -> NoReturn:
        nonlocal stopped
        stopped = True
        raise KeyboardInterrupt

    def wait(seconds: float) -> None:
        if stopped:
            raise KeyboardInterrupt
        time.sleep(seconds)

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wait
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
