import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from natdrain_sim import clock as clock_module
from natdrain_sim.clock import Clock, ClockStuckError

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def work(clock: Clock, name: str, seconds: list[float], log: list[tuple[str, float]]) -> None:
    """Start a worker that logs the time after each of its sleeps."""
    turn = clock.register(key=name)

    def run() -> None:
        turn.wait()
        for each in seconds:
            clock.sleep(each, key=name)
            log.append((name, (clock.now - START).total_seconds()))
        clock.end_busy()

    threading.Thread(target=run, daemon=True).start()


def eventually(predicate: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if predicate():
            return True
        time.sleep(0.01)
    return False


def test_clock_sets_now_for_the_whole_process_in_utc() -> None:
    with Clock(START) as clock:
        clock.advance(90)
        later = START + timedelta(seconds=90)
        assert clock.now == later
        assert datetime.now(UTC) == later
        assert datetime.now() == later.replace(tzinfo=None)  # noqa: DTZ005 - as moto asks
        assert time.time() == later.timestamp()


def test_clock_restores_the_real_time() -> None:
    with Clock(START):
        pass
    assert abs(datetime.now(UTC) - START) > timedelta(seconds=1)


def test_advance_takes_no_real_time() -> None:
    with Clock(START) as clock:
        began = time.monotonic()
        clock.advance(1_000_000)
        assert time.monotonic() - began < 1


def test_advance_wakes_each_sleeper_at_its_due_time() -> None:
    log: list[tuple[str, float]] = []
    with Clock(START) as clock:
        work(clock, "a", [10, 10], log)
        work(clock, "b", [15, 1.5], log)
        clock.advance(20)
        assert log == [("a", 10), ("b", 15), ("b", 16.5), ("a", 20)]
        assert clock.now == START + timedelta(seconds=20)


def test_sleepers_wake_in_the_order_of_their_start_when_due_at_the_same_time() -> None:
    log: list[tuple[str, float]] = []
    names = [f"worker {number}" for number in range(20)]
    with Clock(START) as clock:
        for name in names:
            work(clock, name, [5], log)
        clock.advance(5)
    assert log == [(name, 5) for name in names]


def test_worker_does_nothing_before_the_clock_is_driven() -> None:
    log: list[tuple[str, float]] = []
    with Clock(START) as clock:
        work(clock, "a", [0], log)
        time.sleep(0.05)
        assert log == []
        clock.run_until(lambda: log == [("a", 0)], limit_seconds=0)


def test_run_until_stops_as_soon_as_the_predicate_is_true() -> None:
    log: list[tuple[str, float]] = []
    with Clock(START) as clock:
        work(clock, "a", [10, 10, 10], log)
        clock.run_until(lambda: len(log) == 2)
        assert clock.now == START + timedelta(seconds=20)


def test_run_until_raises_when_the_limit_is_reached() -> None:
    with Clock(START) as clock:
        with pytest.raises(TimeoutError, match="60 simulated seconds"):
            clock.run_until(lambda: False, limit_seconds=60)
        assert clock.now == START + timedelta(seconds=60)


def test_run_until_raises_when_a_worker_never_finishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "REAL_SECONDS_UNTIL_STUCK", 0.05)
    with Clock(START) as clock, clock.busy(), pytest.raises(ClockStuckError, match="1 busy"):
        clock.run_until(lambda: True)


def test_call_at_runs_at_its_due_time_while_time_stands_still() -> None:
    log: list[tuple[str, float]] = []
    with Clock(START) as clock:

        def call() -> None:
            log.append(("call", (clock.now - START).total_seconds()))
            work(clock, "begun by the call", [2], log)

        clock.call_at(START + timedelta(seconds=10), call)
        work(clock, "a", [10], log)
        clock.advance(20)
    assert log == [("call", 10), ("a", 10), ("begun by the call", 12)]


def test_call_at_runs_at_once_when_its_time_has_passed() -> None:
    log: list[datetime] = []
    with Clock(START) as clock:
        clock.call_at(START - timedelta(days=1), lambda: log.append(clock.now))
        clock.advance(0)
    assert log == [START]


def test_interrupt_wakes_a_sleeper_at_once_and_ends_its_later_sleeps() -> None:
    log: list[tuple[str, float]] = []
    with Clock(START) as clock:
        work(clock, "a", [100, 100], log)
        work(clock, "b", [100], log)
        clock.advance(10)
        clock.interrupt("a")
        clock.advance(0)
        assert log == [("a", 10), ("a", 10)]


def test_flow_passes_time_at_its_speed() -> None:
    log: list[tuple[str, float]] = []
    with Clock(START) as clock:
        work(clock, "a", [50], log)
        began = time.monotonic()
        with clock.flow(speed=100):
            assert eventually(lambda: bool(log))
        assert 0.4 < time.monotonic() - began < 2
        assert log == [("a", 50)]


def test_flow_stands_still_while_something_is_busy() -> None:
    with Clock(START) as clock, clock.flow(speed=1000):
        with clock.busy():
            before = clock.now
            time.sleep(0.2)
            assert clock.now == before
        assert eventually(lambda: clock.now > before)


def test_flow_stops_with_its_context() -> None:
    with Clock(START) as clock:
        with clock.flow(speed=1000):
            pass
        before = clock.now
        time.sleep(0.1)
        assert clock.now == before
