"""Systems Manager as natdrain uses it: the state of change calendars."""

from collections.abc import Sequence

from natdrain.aws import clients
from natdrain.model.look import ChangeCalendar

OPEN = "OPEN"


def read_calendar(names: Sequence[str]) -> ChangeCalendar:
    """Return the state of the change calendars now: open if all are (SSM API reference, GetCalendarState)."""
    answer = clients.ssm().get_calendar_state(CalendarNames=list(names))
    return ChangeCalendar(closed=answer["State"] != OPEN, until=answer.get("NextTransitionTime"))
