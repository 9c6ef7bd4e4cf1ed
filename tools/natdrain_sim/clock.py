"""The one simulated clock: time stands still while anything is busy.

Workers (executions of state machines) are busy or asleep. When nothing is busy, whoever drives the clock
lets exactly one sleeper go, the one that is due first, and moves "now" to its due moment. In process a
test drives it (`run_until`, `advance`) and no real time is spent; for a server `flow` drives it.

"Now" is set by time-machine for the whole process, in UTC. It leaves ``time.monotonic`` and ``time.sleep``
alone, so the threads here wait in real time.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

import time_machine

REAL_SECONDS_UNTIL_STUCK = 120.0
FLOW_STEP_REAL_SECONDS = 0.05


class ClockStuckError(Exception):
    """A busy worker did not finish within 120 s of real time, while somebody drove the clock."""


@dataclass(order=True)
class Sleeper:
    """A worker that waits for its due moment; equal moments are served in the order of their start.

    One with a `call` has no thread of its own: whoever drives the clock makes the call.
    """

    due: datetime
    order: int
    key: str = field(compare=False)
    call: Callable[[], None] | None = field(compare=False, default=None)
    turn: threading.Event = field(compare=False, default_factory=threading.Event)

    def wait(self) -> None:
        """Block this thread until the clock lets it go; from then on it counts as busy."""
        self.turn.wait()


class Clock:
    """A clock that begins at ``start`` (an aware instant) and only moves when it is driven."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._travel = time_machine.travel(self._now, tick=False)
        self._changed = threading.Condition()
        self._busy = 0
        self._sleepers: list[Sleeper] = []
        self._orders = itertools.count()
        self._interrupted: set[str] = set()

    def __enter__(self) -> Self:
        """Replace "now" in the whole process."""
        self._traveller = self._travel.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the process its own time back; whoever still sleeps never wakes."""
        self._travel.stop()

    @property
    def now(self) -> datetime:
        """The simulated instant, aware and in UTC."""
        return self._now

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Hold time still, for the length of an API call."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """End the busy time of a worker."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def line_up(self, seconds: float = 0.0, *, key: str) -> Sleeper:
        """Register a sleeper that is due in ``seconds``, on behalf of a worker that is not busy (yet).

        Of those that line up for the same moment, the first is let go first.
        """
        with self._changed:
            due = self._now + timedelta(seconds=seconds)
            sleeper = Sleeper(due, next(self._orders), key)
            heapq.heappush(self._sleepers, sleeper)
            if key in self._interrupted:
                self._wake(key)
            return sleeper

    def call_at(self, due: datetime, call: Callable[[], None]) -> None:
        """Make a short call at that moment, or at once if it has passed; nothing moves before it returns."""
        with self._changed:
            sleeper = Sleeper(max(due, self._now), next(self._orders), "", call)
            heapq.heappush(self._sleepers, sleeper)

    def sleep(self, seconds: float, *, key: str) -> None:
        """Put a busy worker to sleep; returns, busy again, when it is due or interrupted."""
        if seconds > 0:
            sleeper = self.line_up(seconds, key=key)
            self.release()
            sleeper.wait()

    def interrupt(self, key: str) -> None:
        """Wake the sleepers of ``key`` at once, and let it sleep no more."""
        with self._changed:
            self._interrupted.add(key)
            self._wake(key)

    def _wake(self, key: str) -> None:
        woken = [sleeper for sleeper in self._sleepers if sleeper.key == key]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper.key != key]
        heapq.heapify(self._sleepers)
        self._busy += len(woken)
        for sleeper in woken:
            sleeper.turn.set()

    def advance(self, seconds: float) -> None:
        """Run everything that is due within ``seconds``, and end exactly that much later."""
        target = self._now + timedelta(seconds=seconds)
        while self._step(target):
            pass

    def run_until(self, predicate: Callable[[], object], *, limit_seconds: float = 86_400.0) -> None:
        """Run, one sleeper after the other, until ``predicate`` is true while nothing is busy.

        Raises:
            TimeoutError: No sleeper is left that could make it true within ``limit_seconds`` (simulated).
        """
        target = self._now + timedelta(seconds=limit_seconds)
        self._wait_until_idle()
        while not predicate():
            if not self._step(target):
                raise TimeoutError(f"not so within {limit_seconds:g} simulated seconds, by {self._now}")
            self._wait_until_idle()

    def _wait_until_idle(self) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy == 0, REAL_SECONDS_UNTIL_STUCK):
                raise ClockStuckError(f"{self._busy} busy for {REAL_SECONDS_UNTIL_STUCK:g} s of real time")

    def _step(self, target: datetime) -> bool:
        """Let the next sleeper go if it is due by ``target``; if none is, move there and return False."""
        with self._changed:
            self._wait_until_idle()
            if self._sleepers and self._sleepers[0].due <= target:
                sleeper = heapq.heappop(self._sleepers)
                self._move_to(sleeper.due)
                self._busy += 1
            else:
                self._move_to(target)
                return False
        if sleeper.call:
            try:
                sleeper.call()
            finally:
                self.release()
        sleeper.turn.set()
        return True

    def _move_to(self, instant: datetime) -> None:
        if instant > self._now:
            self._traveller.shift(instant - self._now)
            self._now = instant

    @contextmanager
    def flow(self, speed: float) -> Iterator[None]:
        """Drive the clock from a thread: ``speed`` simulated seconds pass in each real one.

        A sleeper is let go when its due moment has really come. While something is busy, time stands
        still here too, however long that takes.
        """
        stopping = threading.Event()
        thread = threading.Thread(target=self._flow, args=(speed, stopping), daemon=True, name="clock")
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def _flow(self, speed: float, stopping: threading.Event) -> None:
        while not stopping.is_set():
            with self._changed:
                due = self._sleepers[0].due if self._sleepers else None
            seconds = FLOW_STEP_REAL_SECONDS * speed
            if due is not None:
                seconds = min(seconds, max(0.0, (due - self._now).total_seconds()))
            time.sleep(seconds / speed)
            with self._changed:
                if self._changed.wait_for(lambda: self._busy == 0, FLOW_STEP_REAL_SECONDS):
                    self._step(self._now + timedelta(seconds=seconds))
