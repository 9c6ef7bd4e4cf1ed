"""GetCalendarState and calendar documents; the simulated time is Sunday noon, UTC."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ssm.responses import SimpleSystemManagerResponse

from support.stub_functions import StubCloud, stub_cloud

CALENDAR = """\
BEGIN:VCALENDAR
PRODID:-//AWS//Change Calendar 1.0//EN
VERSION:2.0
X-CALENDAR-TYPE:{kind}
X-WR-CALDESC:for tests
BEGIN:VTODO
DTSTAMP:20200320T004207Z
UID:3b5af39a-d0b3-4049-a839-d7bb8af01f92
SUMMARY:Add events to this calendar.
END:VTODO
{events}END:VCALENDAR
"""
OVER_NOON = "DTSTART:20260301T110000Z\nDTEND:20260301T130000Z\n"
NEXT_DAY = "DTSTART:20260302T110000Z\nDTEND:20260302T130000Z\n"


@pytest.fixture
def cloud() -> Iterator[StubCloud]:
    with stub_cloud() as cloud:
        yield cloud


Make = Callable[..., str]


@pytest.fixture
def make(cloud: StubCloud) -> Make:
    """Return a function that creates a calendar with events at given times, and returns its name."""

    def create(*times: str, kind: str = "DEFAULT_OPEN", name: str = "freeze") -> str:
        events = "".join(
            f"BEGIN:VEVENT\nUID:{number}\nDTSTAMP:20200320T004207Z\n{each}END:VEVENT\n"
            for number, each in enumerate(times)
        )
        text = CALENDAR.format(kind=kind, events=events).replace("\n", "\r\n")
        cloud.client("ssm").create_document(
            Name=name, Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
        )
        return name

    return create


def state_of(cloud: StubCloud, *names: str, **at: str) -> Any:
    return cloud.client("ssm").get_calendar_state(CalendarNames=list(names), **at)


@pytest.mark.parametrize(
    ("kind", "times", "state"),
    [
        ("DEFAULT_OPEN", OVER_NOON, "CLOSED"),
        ("DEFAULT_OPEN", NEXT_DAY, "OPEN"),
        ("DEFAULT_CLOSED", OVER_NOON, "OPEN"),
        ("DEFAULT_CLOSED", NEXT_DAY, "CLOSED"),
    ],
)
def test_calendar_has_the_opposite_state_during_its_events(
    cloud: StubCloud, make: Make, kind: str, times: str, state: str
) -> None:
    assert state_of(cloud, make(times, kind=kind))["State"] == state


@pytest.mark.parametrize(("kind", "state"), [("DEFAULT_OPEN", "OPEN"), ("DEFAULT_CLOSED", "CLOSED")])
def test_calendar_has_its_default_state_without_events(
    cloud: StubCloud, make: Make, kind: str, state: str
) -> None:
    answer = state_of(cloud, make(kind=kind))
    assert answer["State"] == state
    assert "NextTransitionTime" not in answer


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-03-01T10:59:59Z", "OPEN"),
        ("2026-03-01T11:00:00Z", "CLOSED"),
        ("2026-03-01T13:59:59+01:00", "CLOSED"),
        ("2026-03-01T13:00:00Z", "OPEN"),
    ],
)
def test_calendar_state_is_that_of_a_given_time(cloud: StubCloud, make: Make, at: str, state: str) -> None:
    assert state_of(cloud, make(OVER_NOON), AtTime=at)["State"] == state


def test_calendar_state_is_that_of_the_simulated_time_by_default(cloud: StubCloud, make: Make) -> None:
    make(OVER_NOON)
    assert state_of(cloud, "freeze")["AtTime"] == "2026-03-01T12:00:00Z"
    cloud.clock.advance(3600)
    answer = state_of(cloud, "freeze")
    assert (answer["State"], answer["AtTime"]) == ("OPEN", "2026-03-01T13:00:00Z")


@pytest.mark.parametrize(
    ("times", "state"),
    [
        ("DTSTART:20260222T110000Z\nDTEND:20260222T130000Z\nRRULE:FREQ=WEEKLY\n", "CLOSED"),
        ("DTSTART:20260223T110000Z\nDTEND:20260223T130000Z\nRRULE:FREQ=WEEKLY\n", "OPEN"),
        ("DTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260302\n", "CLOSED"),
        ("DTSTART;VALUE=DATE:20260301\n", "CLOSED"),
        ("DTSTART;TZID=Asia/Tokyo:20260301T210000\nDTEND;TZID=Asia/Tokyo:20260301T220000\n", "CLOSED"),
        ("DTSTART;TZID=Asia/Tokyo:20260301T120000\nDTEND;TZID=Asia/Tokyo:20260301T130000\n", "OPEN"),
        ("DTSTART:20260301T110000Z\nDURATION:PT2H\n", "CLOSED"),
    ],
)
def test_calendar_supports_recurrences_days_zones_and_durations(
    cloud: StubCloud, make: Make, times: str, state: str
) -> None:
    assert state_of(cloud, make(times))["State"] == state


def test_next_transition_is_the_end_of_adjoining_events(cloud: StubCloud, make: Make) -> None:
    adjoining = "DTSTART:20260301T130000Z\nDTEND:20260301T150000Z\n"
    assert state_of(cloud, make(OVER_NOON, adjoining))["NextTransitionTime"] == "2026-03-01T15:00:00Z"


def test_next_transition_of_an_open_calendar_is_the_start_of_its_next_event(
    cloud: StubCloud, make: Make
) -> None:
    assert state_of(cloud, make(NEXT_DAY))["NextTransitionTime"] == "2026-03-02T11:00:00Z"


def test_several_calendars_are_open_only_when_all_are(cloud: StubCloud, make: Make) -> None:
    make(OVER_NOON, name="closed")
    make(NEXT_DAY, name="open")
    make(name="always-open")
    assert state_of(cloud, "open", "always-open")["State"] == "OPEN"
    assert state_of(cloud, "open", "closed")["State"] == "CLOSED"


def test_calendar_is_found_by_its_arn(cloud: StubCloud, make: Make) -> None:
    arn = f"arn:aws:ssm:eu-central-1:123456789012:document/{make(OVER_NOON)}"
    assert state_of(cloud, arn)["State"] == "CLOSED"


def test_calendar_state_is_that_of_the_default_version_after_an_update(cloud: StubCloud, make: Make) -> None:
    text = CALENDAR.format(kind="DEFAULT_CLOSED", events="")
    make()
    ssm = cloud.client("ssm")
    ssm.update_document(Name="freeze", Content=text, DocumentVersion="$LATEST", DocumentFormat="TEXT")
    assert state_of(cloud, "freeze")["State"] == "OPEN"
    ssm.update_document_default_version(Name="freeze", DocumentVersion="2")
    assert state_of(cloud, "freeze")["State"] == "CLOSED"


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return raised.value.response["Error"]["Code"]


def test_calendar_state_is_refused_when_the_document_does_not_exist(cloud: StubCloud) -> None:
    with pytest.raises(ClientError) as raised:
        state_of(cloud, "missing")
    assert code(raised) == "InvalidDocument"


def test_calendar_state_is_refused_for_a_document_of_another_type(cloud: StubCloud) -> None:
    cloud.client("ssm").create_document(
        Name="command", Content='{"schemaVersion": "2.2"}', DocumentType="Command"
    )
    with pytest.raises(ClientError) as raised:
        state_of(cloud, "command")
    assert code(raised) == "InvalidDocumentType"


@pytest.mark.parametrize("text", ["nonsense", CALENDAR.format(kind="DEFAULT_AJAR", events="")])
def test_document_is_refused_when_its_text_is_not_a_calendar(cloud: StubCloud, text: str) -> None:
    with pytest.raises(ClientError) as raised:
        cloud.client("ssm").create_document(
            Name="freeze", Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
        )
    assert code(raised) == "InvalidDocumentContent"


def test_moto_still_lacks_the_calendar() -> None:
    """If moto adds its own, ours may be removed."""
    assert not hasattr(SimpleSystemManagerResponse, "get_calendar_state")
