"""The simulated clock: time stands still while anything is busy.

Workers (executions of state machines) are busy or asleep. When nothing is busy, the driver of the clock wakes
exactly one sleeper, the one that is due first, and moves "now" to its due time. In process a test drives the
clock (`run_until`, `advance`), which takes no real time; in a server `flow` does.

time-machine sets "now" for the whole process, in UTC. It does not change ``time.monotonic`` and
``time.sleep``, so the threads here wait in real time.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

import time_machine

REAL_SECONDS_UNTIL_STUCK = 120.0
FLOW_STEP_REAL_SECONDS = 0.05


class ClockStuckError(Exception):
    """A worker that stayed busy for 120 s of real time while the clock was driven."""


class Sleeper(NamedTuple):
    """A worker or a call that waits for its due time; with equal times the first to wait is first."""

    due: datetime
    order: int
    key: str
    wake: Callable[[], None]  # called when the sleeper already counts as busy


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
        """Restore the real time; workers that still sleep never wake."""
        self._travel.stop()

    @property
    def now(self) -> datetime:
        """Return the simulated instant, aware and in UTC."""
        return self._now

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Keep time still, for an API call."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            self.end_busy()

    def end_busy(self) -> None:
        """End the busy time of a worker."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def register(self, seconds: float = 0.0, *, key: str) -> threading.Event:
        """Register a worker that sleeps for ``seconds``; return the event that is set when it wakes."""
        turn = threading.Event()
        with self._changed:
            self._add(self._now + timedelta(seconds=seconds), key, turn.set)
            if key in self._interrupted:
                self._wake(key)
        return turn

    def call_at(self, due: datetime, call: Callable[[], None]) -> None:
        """Make a short call at that instant, or at once if it has passed, in the thread of the driver."""

        def wake() -> None:
            try:
                call()
            finally:
                self.end_busy()

        with self._changed:
            self._add(max(due, self._now), "", wake)

    def _add(self, due: datetime, key: str, wake: Callable[[], None]) -> None:
        heapq.heappush(self._sleepers, Sleeper(due, next(self._orders), key, wake))

    def sleep(self, seconds: float, *, key: str) -> None:
        """Put a busy worker to sleep; return, busy again, when it is due or interrupted."""
        if seconds > 0:
            turn = self.register(seconds, key=key)
            self.end_busy()
            turn.wait()

    def interrupt(self, key: str) -> None:
        """Wake the sleepers with this key at once, and let none with this key sleep again."""
        with self._changed:
            self._interrupted.add(key)
            self._wake(key)

    def _wake(self, key: str) -> None:
        woken = [sleeper for sleeper in self._sleepers if sleeper.key == key]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper.key != key]
        heapq.heapify(self._sleepers)
        self._busy += len(woken)
        for sleeper in woken:
            sleeper.wake()

    def advance(self, seconds: float) -> None:
        """Run everything that is due within ``seconds``, and stop exactly that much later."""
        target = self._now + timedelta(seconds=seconds)
        while self._step(target):
            pass

    def run_until(self, predicate: Callable[[], object], *, limit_seconds: float = 86_400.0) -> None:
        """Wake one sleeper after the other until ``predicate`` is true and nothing is busy."""
        target = self._now + timedelta(seconds=limit_seconds)
        self._wait_until_idle()
        while not predicate():
            if not self._step(target):
                raise TimeoutError(f"not true within {limit_seconds:g} simulated seconds, by {self._now}")
            self._wait_until_idle()

    def _wait_until_idle(self) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy == 0, REAL_SECONDS_UNTIL_STUCK):
                raise ClockStuckError(f"{self._busy} busy for {REAL_SECONDS_UNTIL_STUCK:g} s of real time")

    def _step(self, target: datetime) -> bool:
        """Wake the next sleeper if it is due by ``target``; otherwise move there and return False."""
        with self._changed:
            self._wait_until_idle()
            if self._sleepers and self._sleepers[0].due <= target:
                sleeper = heapq.heappop(self._sleepers)
                self._move_to(sleeper.due)
                self._busy += 1
            else:
                self._move_to(target)
                return False
        sleeper.wake()
        return True

    def _move_to(self, instant: datetime) -> None:
        if instant > self._now:
            self._traveller.shift(instant - self._now)
            self._now = instant

    @contextmanager
    def flow(self, speed: float) -> Iterator[None]:
        """Drive the clock from a thread: ``speed`` simulated seconds pass in each real one.

        Each sleeper wakes when its due time has come. Time stands still here too while anything is busy.
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
