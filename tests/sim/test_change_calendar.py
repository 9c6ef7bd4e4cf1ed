"""GetCalendarState on documents that any client made; the simulated now is Sunday noon, UTC."""

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
    """Create a calendar with events, of each of which only the times are given, and return its name."""

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


def ask(cloud: StubCloud, *names: str, **at: str) -> Any:
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
def test_calendar_is_turned_over_by_its_events(
    cloud: StubCloud, make: Make, kind: str, times: str, state: str
) -> None:
    assert ask(cloud, make(times, kind=kind))["State"] == state


@pytest.mark.parametrize(("kind", "state"), [("DEFAULT_OPEN", "OPEN"), ("DEFAULT_CLOSED", "CLOSED")])
def test_calendar_without_events_stays_as_by_default(
    cloud: StubCloud, make: Make, kind: str, state: str
) -> None:
    answer = ask(cloud, make(kind=kind))
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
def test_calendar_is_asked_at_a_given_time(cloud: StubCloud, make: Make, at: str, state: str) -> None:
    assert ask(cloud, make(OVER_NOON), AtTime=at)["State"] == state


def test_calendar_is_asked_at_the_simulated_now(cloud: StubCloud, make: Make) -> None:
    make(OVER_NOON)
    assert ask(cloud, "freeze")["AtTime"] == "2026-03-01T12:00:00Z"
    cloud.clock.advance(3600)
    answer = ask(cloud, "freeze")
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
def test_calendar_understands_recurrences_days_zones_and_durations(
    cloud: StubCloud, make: Make, times: str, state: str
) -> None:
    assert ask(cloud, make(times))["State"] == state


def test_next_transition_is_the_end_of_adjoining_events(cloud: StubCloud, make: Make) -> None:
    adjoining = "DTSTART:20260301T130000Z\nDTEND:20260301T150000Z\n"
    assert ask(cloud, make(OVER_NOON, adjoining))["NextTransitionTime"] == "2026-03-01T15:00:00Z"


def test_next_transition_of_an_open_calendar_is_the_begin_of_its_next_event(
    cloud: StubCloud, make: Make
) -> None:
    assert ask(cloud, make(NEXT_DAY))["NextTransitionTime"] == "2026-03-02T11:00:00Z"


def test_several_calendars_are_open_only_if_all_are(cloud: StubCloud, make: Make) -> None:
    make(OVER_NOON, name="closed")
    make(NEXT_DAY, name="open")
    make(name="always-open")
    assert ask(cloud, "open", "always-open")["State"] == "OPEN"
    assert ask(cloud, "open", "closed")["State"] == "CLOSED"


def test_calendar_is_found_by_its_arn(cloud: StubCloud, make: Make) -> None:
    arn = f"arn:aws:ssm:eu-central-1:123456789012:document/{make(OVER_NOON)}"
    assert ask(cloud, arn)["State"] == "CLOSED"


def test_calendar_that_is_updated_is_asked_in_its_default_version(cloud: StubCloud, make: Make) -> None:
    text = CALENDAR.format(kind="DEFAULT_CLOSED", events="")
    make()
    ssm = cloud.client("ssm")
    ssm.update_document(Name="freeze", Content=text, DocumentVersion="$LATEST", DocumentFormat="TEXT")
    assert ask(cloud, "freeze")["State"] == "OPEN"
    ssm.update_document_default_version(Name="freeze", DocumentVersion="2")
    assert ask(cloud, "freeze")["State"] == "CLOSED"


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return raised.value.response["Error"]["Code"]


def test_calendar_that_is_not_there_is_an_invalid_document(cloud: StubCloud) -> None:
    with pytest.raises(ClientError) as raised:
        ask(cloud, "nobody-s")
    assert code(raised) == "InvalidDocument"


def test_document_of_another_type_is_no_calendar(cloud: StubCloud) -> None:
    cloud.client("ssm").create_document(
        Name="command", Content='{"schemaVersion": "2.2"}', DocumentType="Command"
    )
    with pytest.raises(ClientError) as raised:
        ask(cloud, "command")
    assert code(raised) == "InvalidDocumentType"


@pytest.mark.parametrize("text", ["nonsense", CALENDAR.format(kind="DEFAULT_AJAR", events="")])
def test_text_that_is_no_calendar_is_refused(cloud: StubCloud, text: str) -> None:
    with pytest.raises(ClientError) as raised:
        cloud.client("ssm").create_document(
            Name="freeze", Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
        )
    assert code(raised) == "InvalidDocumentContent"


def test_moto_still_lacks_the_calendar() -> None:
    """When moto grows its own, look whether ours can go."""
    assert not hasattr(SimpleSystemManagerResponse, "get_calendar_state")
