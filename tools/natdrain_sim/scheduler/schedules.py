"""EventBridge Scheduler, whose schedules never fire in moto: here they do, on the simulated clock.

Sources: the user guide of EventBridge Scheduler, "Schedule types", "Context attributes" and "Dead-letter
queue", and the API reference of CreateSchedule. Inferred: a one-time schedule in the past never fires, and an
update starts a rate anew.
"""

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aws_croniter import AwsCroniter
from moto.moto_api._internal import mock_random
from moto.scheduler.exceptions import ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule

from natdrain_sim.clock import Clock
from natdrain_sim.events.targets import deliver
from natdrain_sim.seams import Seam

Next = Callable[[datetime], datetime | None]
"""The first occurrence after an instant, both aware and in UTC; None: never again."""


def seams(clock: Clock, draws: random.Random) -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement. `draws` says when in a flexible window."""
    for name in ("create_schedule", "update_schedule"):
        change = getattr(EventBridgeSchedulerBackend, name)
        yield EventBridgeSchedulerBackend, name, _firing(change, clock, draws)


def _firing(change: Callable[..., Any], clock: Clock, draws: random.Random) -> Callable[..., Any]:
    def change_and_fire(backend: EventBridgeSchedulerBackend, **given: Any) -> Any:
        following = _timetable(given, clock.now)
        schedule = change(backend, **given)
        schedule.timetable = following

        def wait_for(due: datetime | None) -> None:
            if due is not None:
                window = schedule.flexible_time_window.get("MaximumWindowInMinutes") or 0
                late = timedelta(seconds=draws.uniform(0, window * 60))
                clock.call_at(due + late, lambda: fire(due))

        def fire(due: datetime) -> None:
            group = backend.schedule_groups.get(schedule.group_name)
            there: Any = group and group.schedules.get(schedule.name)
            if there is not schedule or schedule.timetable is not following:
                return  # deleted or updated meanwhile
            if schedule.state != "DISABLED":  # moto forgets the default when a schedule is updated
                _invoke(schedule, due)
            wait_for(after := following(due))
            if after is None and schedule.action_after_completion == "DELETE":
                backend.delete_schedule(schedule.group_name, schedule.name)

        wait_for(following(clock.now - timedelta(microseconds=1)))
        return schedule

    return change_and_fire


def _invoke(schedule: Schedule, due: datetime) -> None:
    execution_id = f"{mock_random.getrandbits(64):016x}"
    context = {
        "schedule-arn": schedule.arn,
        "scheduled-time": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": execution_id,
        "attempt-number": "1",
    }
    text = str(schedule.target.get("Input", "{}"))
    for name, value in context.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    about = {
        "SCHEDULE_ARN": schedule.arn,
        "SCHEDULED_TIME": context["scheduled-time"],
        "EXECUTION_ID": execution_id,
        "IS_PAYLOAD_TRUNCATED": "false",
    }
    deliver(schedule.target, text, undelivered=text, about=about)


def _timetable(given: dict[str, Any], created_at: datetime) -> Next:
    """When a schedule with these parameters is due.

    Raises:
        ValidationException: the expression or the time zone is none.
    """
    if ":states:" not in given["target"]["Arn"]:
        raise NotImplementedError("the embedded cloud schedules state machines only")
    expression = given["schedule_expression"]
    kind, _, inner = expression.removesuffix(")").partition("(")
    try:
        zone = ZoneInfo(given["schedule_expression_timezone"] or "UTC")
        if kind == "at":
            once = datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
            return lambda after: once if once > after else None
        begin, end = _instant(given["start_date"]), _instant(given["end_date"])
        following = _cron(inner, zone) if kind == "cron" else _rate(expression, begin or created_at)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise ValidationException(f"Invalid Schedule Expression {expression}.") from error

    def within(after: datetime) -> datetime | None:
        due = following(max(after, begin - timedelta(seconds=1)) if begin else after)
        return due if due and (end is None or due <= end) else None

    return within


def _instant(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _rate(text: str, begin: datetime) -> Next:
    if not (found := re.fullmatch(r"rate\(([1-9]\d*) (minute|hour|day)s?\)", text)):
        raise ValueError(text)
    period = timedelta(**{f"{found[2]}s": int(found[1])})
    return lambda after: begin + max(0, (after - begin) // period + 1) * period


def _cron(text: str, zone: ZoneInfo) -> Next:
    minute, hour, day, month, weekday, year = text.split()
    # The last day of a week is Saturday; the library takes "L" alone for a day of the month.
    cron = AwsCroniter(" ".join([minute, hour, day, month, "7" if weekday == "L" else weekday, year]))

    def following(after: datetime) -> datetime | None:
        # The library knows no zones: it is given what the clock on the wall shows, as if that were UTC.
        wall = after.astimezone(zone).replace(tzinfo=UTC)
        while wall := cron.occurrence(wall).next():
            due: datetime = wall.replace(tzinfo=zone).astimezone(UTC)
            # A time that the change to summer time leaves out is skipped; one that the change back repeats
            # counts the first time.
            if due > after and due.astimezone(zone).replace(tzinfo=UTC) == wall:
                return due
        return None

    return following
