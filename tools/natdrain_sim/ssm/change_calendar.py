"""Change Calendar of Systems Manager, which moto lacks: iCalendar documents and GetCalendarState.

Sources: SSM API reference, GetCalendarState; Systems Manager user guide, "AWS Systems Manager Change
Calendar".
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import recurring_ical_events
from icalendar import Calendar
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ssm import models
from moto.ssm.exceptions import InvalidDocumentContent, SSMException
from moto.ssm.models import Document
from moto.ssm.responses import SimpleSystemManagerResponse

from natdrain_sim.seams import Seam, private

_ISO = "%Y-%m-%dT%H:%M:%SZ"
_HORIZON = timedelta(days=366)  # the range of the search for the next transition


def seams() -> Iterator[Seam]:
    """Yield the seams of documents, and GetCalendarState, which is added."""
    make, validate = Document.__init__, private(models, "_validate_document_format")

    def validate_format(document_format: str) -> None:
        if document_format != "TEXT":
            validate(document_format)

    def make_document(self: Document, *, content: Any, document_format: str, **fields: Any) -> None:
        moto_content = content
        if document_format == "TEXT":
            _parse(content, _instant(utcnow()))
            moto_content = {"schemaVersion": "1.0"}  # moto reads it in every document
        make(self, content=moto_content, document_format=document_format, **fields)
        self.content = content

    yield models, "_validate_document_format", validate_format
    yield Document, "__init__", make_document
    yield SimpleSystemManagerResponse, "get_calendar_state", _get_calendar_state


def _parse(text: str, at: datetime) -> tuple[bool, list[tuple[datetime, datetime]]]:
    """Return whether a calendar is open by default, and its events from an instant on."""
    try:
        calendar = Calendar.from_ical(text)
        default = ["DEFAULT_CLOSED", "DEFAULT_OPEN"].index(str(calendar["X-CALENDAR-TYPE"])) == 1
        events = recurring_ical_events.of(calendar).between(at, at + _HORIZON)
    except (KeyError, ValueError) as error:
        raise InvalidDocumentContent(f"The content is not a calendar: {error!r}") from error
    return default, [(_instant(event.start), _instant(event.end)) for event in events]


def _instant(moment: date) -> datetime:
    """Return an instant in UTC; a day begins at midnight UTC, and a time without a zone is in UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _get_calendar_state(self: SimpleSystemManagerResponse) -> ActionResult:
    at = _instant(datetime.fromisoformat(self._get_param("AtTime") or utcnow().isoformat()))
    calendars = [_parse(_text(self.ssm_backend, name), at) for name in self._get_param("CalendarNames")]

    def is_open(instant: datetime) -> bool:
        return all(
            default != any(begin <= instant < end for begin, end in events) for default, events in calendars
        )

    edges = {edge for _, events in calendars for event in events for edge in event if edge > at}
    transition = next((format(edge, _ISO) for edge in sorted(edges) if is_open(edge) != is_open(at)), None)
    state = "OPEN" if is_open(at) else "CLOSED"
    return ActionResult({"State": state, "AtTime": format(at, _ISO), "NextTransitionTime": transition})


def _text(backend: Any, name_or_arn: str) -> str:
    document = private(backend, "_get_documents")(name_or_arn.rpartition("/")[2]).get_default_version()
    if document.document_type != "ChangeCalendar":
        raise SSMException("InvalidDocumentType", f"{name_or_arn} is a {document.document_type} document")
    return str(document.content)
