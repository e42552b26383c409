"""How long each stage of a turn takes, added up as the turn goes to and fro between them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from index.records import Timings

logger = logging.getLogger("tanya.qa")

Stage = Literal["understand", "search", "read", "write"]

_Value = TypeVar("_Value")


class Stages:
    """Adds up the seconds of one turn by stage."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Count the time until the end of the block for a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self._seconds[stage] = self._seconds.get(stage, 0.0) + took
            logger.debug("%s took %.3f s", stage, took)

    def over(self, stage: Stage, steps: Iterator[_Value]) -> Iterator[_Value]:
        """Yield what comes, and count the time that each step takes for a stage."""
        while True:
            with self.during(stage):
                step = next(steps, None)
            if step is None:
                return
            yield step

    @property
    def timings(self) -> Timings:
        """Return the seconds so far."""
        return Timings(**self._seconds)
