"""The times of a schedule as a deployment may set them: EventBridge Scheduler begins none in the past.

Its own answer: "The StartDate you specify cannot be earlier than 5 minutes ago." No source says what it
answers to an end that has passed, so a schedule that has nothing left to start is left out.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from infra.config.sections import Schedule


def start_of(schedule: Schedule, now: datetime) -> datetime | None:
    """Return the start: once it has passed, of a rate the next instant of its phase, else none."""
    start = schedule.start_at
    if start is None or start >= now:
        return start
    kind, _, inner = schedule.expression.removesuffix(")").partition("(")
    if kind != "rate":
        return None
    count, unit = inner.split()
    period = timedelta(**{f"{unit.removesuffix('s')}s": int(count)})
    return start + -((start - now) // period) * period


def is_over(schedule: Schedule, now: datetime) -> bool:
    """Return True if the schedule can start nothing any more, not even late."""
    if not schedule.expression.startswith("at("):
        return schedule.end_at is not None and schedule.end_at <= (start_of(schedule, now) or now)
    at = datetime.fromisoformat(schedule.expression[3:-1]).replace(tzinfo=ZoneInfo(schedule.timezone))
    late = timedelta(minutes=schedule.flexible_window_minutes, seconds=schedule.retry_for_seconds)
    return at + late <= now
