"""The calls to Systems Manager, and the meaning of its answers."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from natdrain.aws.ssm import read_calendar
from natdrain.model.look import ChangeCalendar


@pytest.mark.parametrize(
    ("given", "calendar"),
    [
        ({"State": "OPEN"}, ChangeCalendar(closed=False)),
        ({"State": "CLOSED"}, ChangeCalendar(closed=True)),
        (
            {"State": "CLOSED", "NextTransitionTime": "2026-10-05T06:00:00Z"},
            ChangeCalendar(closed=True, until="2026-10-05T06:00:00Z"),
        ),
        ({"State": "NEVER_HEARD_OF"}, ChangeCalendar(closed=True)),
    ],
)
def test_calendar_is_open_only_if_systems_manager_says_so(
    ssm: Stubber, given: dict[str, str], calendar: ChangeCalendar
) -> None:
    ssm.add_response("get_calendar_state", given, {"CalendarNames": ["freeze", "weekend"]})
    assert read_calendar(("freeze", "weekend")) == calendar
