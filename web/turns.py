"""The queue before the reader: who is answered next, who waits, and who is asked to come again."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from index.errors import BusyError, StoppingError
from index.settings import LimitsSettings
from web.health import Queue

_FIRST_GUESS, _NEWEST = 1.0, 0.1
"""Seconds that an answer takes before any was measured; how much the newest counts among them."""

_STANDING = 0.3
"""Share of the patience that is left once the queue has not been empty for as long as that: under
more than can be answered each would else wait for as long as is borne (as CoDel, Nichols 2012)."""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy it is: questions that are answered and that wait, and seconds that one takes.

    `away` wait for another server; `refused` were sent away since the start.
    """

    running: int
    waiting: int
    away: int
    seconds: float
    refused: int


class Place:
    """A question's place in the queue. `begun` is done when its turn has come.

    It holds BusyError where it will not come. Whoever has a place must `leave` it.
    """

    def __init__(self, turns: Turns, owner: str, joined: float) -> None:
        self.owner = owner
        self.begun: Future[None] = Future()
        self.joined = self.since = joined
        self.held = 0.0
        self._turns = turns

    @property
    def ahead(self) -> int:
        """Return how many questions are answered before this one."""
        return self._turns.ahead(self)

    def leave(self) -> None:
        """Give the place up, whether its turn has come or not; again is nothing."""
        self._turns.leave(self)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let others be answered while this one waits for another server; raises StoppingError."""
        self._turns.step_out(self)
        try:
            yield
        finally:
            self._turns.step_in(self)


class Turns:
    """Lets so many questions be answered at once, the others in turn; safe to use from any thread.

    The owners take turns, each with the question that has waited longest.
    """

    def __init__(
        self,
        limits: LimitsSettings,
        at_once: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take `at_once` questions, by default as many as there are cores."""
        # More at once finish no sooner, and each of them later.
        self._at_once = at_once or os.cpu_count() or 1
        self._limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._left = threading.Condition(self._lock)
        self._waiting: OrderedDict[str, deque[Place]] = OrderedDict()
        self._running: set[Place] = set()
        self._away: set[Place] = set()
        self._back: deque[tuple[Place, threading.Event]] = deque()
        self._seconds = _FIRST_GUESS
        self._refused = 0
        self._calm = clock()
        self._stopped = False

    @property
    def load(self) -> Load:
        """Return how busy it is."""
        with self._lock:
            counts = len(self._running), self._count(), len(self._away)
            return Load(*counts, self._seconds, self._refused)

    def queue(self) -> Queue:
        """Return how many questions are answered, how many wait, and whether no more may."""
        load = self.load
        full = load.waiting >= self._limits.waiting
        return Queue(load.running + load.away, load.waiting, full)

    def join(self, owner: str) -> Place:
        """Take a place for a question of somebody.

        Raises BusyError where too many wait or the answer would come too late.
        """
        with self._lock:
            if self._stopped:
                raise StoppingError("The server is being stopped; ask again in a minute.")
            now = self._clock()
            place = Place(self, owner, now)
            crowded = None
            if not self._count():
                self._calm = now
            if len(self._running) >= self._at_once or self._count():
                crowded = self._room_for(owner, now)
            self._waiting.setdefault(owner, deque()).append(place)
            settled = self._next(now)
        if crowded:
            settled.append((crowded, self._busy(1)))
        _settle(settled)
        return place

    def _room_for(self, owner: str, now: float) -> Place | None:
        """Return the waiting place that goes for this owner's; raises BusyError."""
        mine = self._waiting.get(owner, ())
        ahead = self._before(owner, len(mine))
        late = (ahead + 1) * self._seconds / self._at_once + self._seconds - self._patience(now)
        if late > 0 and ahead:
            self._refused += 1
            raise self._busy(late)
        if self._count() < self._limits.waiting:
            return None
        self._refused += 1
        # Whoever fills the queue makes room for those who ask little.
        most = max(self._waiting.values(), key=len, default=deque[Place]())
        if len(most) <= len(mine) + 1:
            raise self._busy(self._seconds / self._at_once)
        return most.pop()

    def _patience(self, now: float) -> float:
        standing = now - self._calm > self._limits.patience
        return self._limits.patience * (_STANDING if standing else 1.0)

    @staticmethod
    def _busy(seconds: float) -> BusyError:
        retry = max(1, math.ceil(seconds))
        return BusyError(f"Too much is asked at once: ask again in {retry} seconds.", retry=retry)

    def _count(self) -> int:
        return sum(map(len, self._waiting.values()))

    def ahead(self, place: Place) -> int:
        """Return how many waiting questions are answered before this one."""
        with self._lock:
            mine = self._waiting.get(place.owner, ())
            return self._before(place.owner, mine.index(place)) if place in mine else 0

    def _before(self, owner: str, rank: int) -> int:
        """Return how many come before an owner's waiting question of a rank, from 0."""
        before, earlier = len(self._back) + rank, True
        for other, places in self._waiting.items():
            if other == owner:
                earlier = False
            else:
                # Those that come earlier in the round have had a turn more.
                before += min(len(places), rank + earlier)
        return before

    def leave(self, place: Place) -> None:
        """Give a place up."""
        with self._lock:
            now = self._clock()
            if place in self._running:
                self._running.discard(place)
                held = place.held + now - place.since
                self._seconds += _NEWEST * (held - self._seconds)
            self._away.discard(place)
            mine = self._waiting.get(place.owner)
            if mine and place in mine:
                mine.remove(place)
                if not mine:
                    del self._waiting[place.owner]
            settled = self._next(now)
            self._left.notify_all()
        _settle(settled)

    def step_out(self, place: Place) -> None:
        """Let another question be answered meanwhile."""
        with self._lock:
            now = self._clock()
            if place in self._running:
                self._running.discard(place)
                self._away.add(place)
                place.held += now - place.since
            settled = self._next(now)
        _settle(settled)

    def step_in(self, place: Place) -> None:
        """Wait for a place again, before those who have not begun; raises StoppingError."""
        free = threading.Event()
        with self._lock:
            if place not in self._away:
                return
            self._back.append((place, free))
            settled = self._next(self._clock())
        _settle(settled)
        free.wait()
        if self._stopped and place not in self._running:
            raise StoppingError("The server is being stopped; ask again in a minute.")

    def _next(self, now: float) -> list[tuple[Place, BusyError | None]]:
        """Give free places away; return whom to tell, and what, once the lock is free."""
        settled: list[tuple[Place, BusyError | None]] = []
        while len(self._running) < self._at_once and self._back:
            place, free = self._back.popleft()
            if place in self._away:
                self._away.discard(place)
                self._running.add(place)
                place.since = now
            free.set()
        while len(self._running) < self._at_once and self._waiting:
            owner, places = self._waiting.popitem(last=False)
            place = places.popleft()
            if places:
                self._waiting[owner] = places
            if now - place.joined > self._limits.patience:
                self._refused += 1
                settled.append((place, self._busy(self._seconds)))
                continue
            self._running.add(place)
            place.since = now
            settled.append((place, None))
        if not self._count():
            self._calm = now
        return settled

    def stop(self) -> None:
        """Take no more, and send away those who wait; those who are answered go on."""
        message = "The server is being stopped; ask again in a minute."
        with self._lock:
            self._stopped = True
            places = [place for some in self._waiting.values() for place in some]
            self._waiting.clear()
            for _, free in self._back:
                free.set()
            self._back.clear()
        _settle([(place, StoppingError(message)) for place in places])

    def wait_until_left(self, seconds: float) -> bool:
        """Wait so long at most; return whether nobody is answered any more."""
        with self._left:
            return self._left.wait_for(lambda: not self._running and not self._away, seconds)


def _settle(settled: list[tuple[Place, BusyError | None]]) -> None:
    """Tell places that their turn has come, or why it will not."""
    for place, error in settled:
        if not place.begun.set_running_or_notify_cancel():
            place.leave()
        elif error is None:
            place.begun.set_result(None)
        else:
            place.begun.set_exception(error)
