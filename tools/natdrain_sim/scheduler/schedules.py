"""Schedules of EventBridge Scheduler that fire on the simulated clock; in moto they never fire.

Sources: the user guide of EventBridge Scheduler, "Schedule types", "Context attributes" and "Dead-letter
queue"; the API reference of CreateSchedule. Inferred: a one-time schedule in the past never fires, and an
update restarts a rate.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aws_croniter import AwsCroniter
from moto.moto_api._internal import mock_random
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule

from natdrain_sim.clock import Clock
from natdrain_sim.events.targets import deliver
from natdrain_sim.seams import Seam

Timetable = Callable[[datetime], datetime | None]
"""A function that returns the first occurrence after an instant, in UTC, or None if there is none."""


def seams(clock: Clock, random: Random) -> Iterator[Seam]:
    """Yield the seams of CreateSchedule and UpdateSchedule; flexible windows use the random numbers."""
    for name in ("create_schedule", "update_schedule"):
        change = getattr(EventBridgeSchedulerBackend, name)
        yield EventBridgeSchedulerBackend, name, _with_firing(change, clock, random)


def _with_firing(change: Callable[..., Any], clock: Clock, random: Random) -> Callable[..., Any]:
    def change_and_fire(backend: EventBridgeSchedulerBackend, **parameters: Any) -> Any:
        timetable = _timetable(parameters, clock.now)
        schedule = change(backend, **parameters)
        schedule.timetable = timetable

        def wait_for(due: datetime | None) -> None:
            if due is not None:
                window = schedule.flexible_time_window.get("MaximumWindowInMinutes") or 0
                delay = timedelta(seconds=random.uniform(0, window * 60))
                clock.call_at(due + delay, lambda: fire(due))

        def fire(due: datetime) -> None:
            group = backend.schedule_groups.get(schedule.group_name)
            current: Any = group and group.schedules.get(schedule.name)
            if current is not schedule or schedule.timetable is not timetable:
                return  # deleted or updated meanwhile
            if schedule.state != "DISABLED":  # moto drops the default when a schedule is updated
                _invoke(schedule, due)
            wait_for(following := timetable(due))
            if following is None and schedule.action_after_completion == "DELETE":
                backend.delete_schedule(schedule.group_name, schedule.name)

        wait_for(timetable(clock.now - timedelta(microseconds=1)))
        return schedule

    return change_and_fire


def _invoke(schedule: Schedule, due: datetime) -> None:
    execution_id = f"{mock_random.getrandbits(64):016x}"
    context_attributes = {
        "schedule-arn": schedule.arn,
        "scheduled-time": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": execution_id,
        "attempt-number": "1",
    }
    text = str(schedule.target.get("Input", "{}"))
    for name, value in context_attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    attributes = {
        "SCHEDULE_ARN": schedule.arn,
        "SCHEDULED_TIME": context_attributes["scheduled-time"],
        "EXECUTION_ID": execution_id,
        "IS_PAYLOAD_TRUNCATED": "false",
    }
    deliver(schedule.target, text, dead_letter=text, attributes=attributes)


def _timetable(parameters: dict[str, Any], created_at: datetime) -> Timetable:
    if ":states:" not in parameters["target"]["Arn"]:
        raise NotImplementedError("the embedded cloud schedules state machines only")
    expression = parameters["schedule_expression"]
    kind, _, inner = expression.removesuffix(")").partition("(")
    try:
        zone = ZoneInfo(parameters["schedule_expression_timezone"] or "UTC")
        if kind == "at":
            once = datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
            return lambda after: once if once > after else None
        begin, end = _instant(parameters["start_date"]), _instant(parameters["end_date"])
        timetable = _cron(inner, zone) if kind == "cron" else _rate(expression, begin or created_at)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}.") from error

    def within(after: datetime) -> datetime | None:
        due = timetable(max(after, begin - timedelta(seconds=1)) if begin else after)
        return due if due and (end is None or due <= end) else None

    return within


def _instant(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _rate(text: str, begin: datetime) -> Timetable:
    if not (found := re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)s?\)", text)):
        raise ValueError(text)
    period = timedelta(**{f"{found[2]}s": int(found[1])})
    return lambda after: begin + max(0, (after - begin) // period + 1) * period


def _cron(text: str, zone: ZoneInfo) -> Timetable:
    minute, hour, day, month, weekday, year = text.split()
    # The last day of a week is Saturday; the library treats a bare "L" as a day of the month.
    cron = AwsCroniter(" ".join([minute, hour, day, month, "7" if weekday == "L" else weekday, year]))

    def following(after: datetime) -> datetime | None:
        # The library has no time zones, so it gets the local time as if it were UTC.
        wall = after.astimezone(zone).replace(tzinfo=UTC)
        while wall := cron.occurrence(wall).next():
            due: datetime = wall.replace(tzinfo=zone).astimezone(UTC)
            # A local time that summer time skips is skipped; one that its end repeats counts the first time.
            if due > after and due.astimezone(zone).replace(tzinfo=UTC) == wall:
                return due
        return None

    return following
