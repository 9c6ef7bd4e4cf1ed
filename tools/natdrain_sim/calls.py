"""Every API call made through moto, recorded with the role that made it, and the faults put in its way.

The one seam is ``BaseResponse.call_action``: in process and over HTTP alike, each service's requests come
by there with the operation known and the answer not yet made.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.parsers import create_parser
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from natdrain_sim.clock import Clock
from natdrain_sim.seams import Seam

TypeResponse = tuple[int, dict[str, Any], str | bytes]
_acting_role: ContextVar[str | None] = ContextVar("acting_role", default=None)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Attribute the calls that this thread makes to the role with this ARN."""
    token = _acting_role.set(role)
    try:
        yield
    finally:
        _acting_role.reset(token)


@dataclass(kw_only=True)
class Call:
    """One API call: when, what, by which role (None: a client from outside), and its error code, if any."""

    at: datetime
    service: str
    operation: str
    role: str | None
    parameters: dict[str, Any]
    error: str | None = None

    @property
    def name(self) -> str:
        """The operation as boto3 and the API name it: `ec2:DescribeNatGateways`."""
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An error that the cloud answers instead of doing what it was asked.

    `docs/embedded-cloud.md` says what each field means. The numbers in ``calls`` count the calls of that
    operation by those roles.
    """

    operation: str
    error: str
    message: str = "injected fault"
    status: int = 503
    calls: frozenset[int] | None = None
    for_seconds: float | None = None
    role_contains: str | None = None
    after_effect: bool = False

    def looks_at(self, call: Call) -> bool:
        """Tell whether the operation and the role of a call are those of this fault."""
        return self.operation == call.name and (self.role_contains or "") in (call.role or "")


@dataclass
class Recorder:
    """What was called so far, and the faults to inject from now on."""

    faults: Sequence[Fault] = ()
    calls: list[Call] = field(default_factory=list)
    _seen: Counter[Fault] = field(default_factory=Counter)
    _first_hit: dict[Fault, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, call: Call) -> Fault | None:
        """Note a call before it is made, and so before what it leads to; returns the fault that spoils it."""
        with self._lock:
            self.calls.append(call)
            looking = [fault for fault in self.faults if fault.looks_at(call)]
            self._seen.update(looking)
            return next((fault for fault in looking if self._hits(fault, call.at)), None)

    def _hits(self, fault: Fault, at: datetime) -> bool:
        its_number = fault.calls is None or self._seen[fault] in fault.calls
        if fault.for_seconds is None:
            return its_number
        if its_number:
            self._first_hit.setdefault(fault, at)
        began = self._first_hit.get(fault)
        return began is not None and at - began < timedelta(seconds=fault.for_seconds)


def seams(recorder: Recorder, clock: Clock) -> Iterator[Seam]:
    """What to replace in moto, so that each call is recorded and holds the clock still for its length."""
    original = BaseResponse.call_action

    def call_action(response: BaseResponse) -> TypeResponse:
        operation = response._get_action()  # noqa: SLF001 - the one place where moto knows it
        if not operation:
            return original(response)
        with clock.busy():
            call = Call(
                at=clock.now,
                service=response.boto3_service_name,
                operation=operation,
                role=_acting_role.get(),
                parameters=_parameters_of(response),
            )
            fault = recorder.begin(call)
            if fault is None or fault.after_effect:
                answer = original(response)
            if fault is not None:
                answer = _spoilt(fault, response)
            if answer[0] >= 400:  # noqa: PLR2004 - HTTP
                call.error = _error_code_of(response, answer)
            return answer

    yield BaseResponse, "call_action", call_action


class _InjectedError(ServiceException):
    """Of this module, because moto looks up the service of its own exceptions by their module."""


def _spoilt(fault: Fault, response: BaseResponse) -> TypeResponse:
    # moto's own serializer speaks the service's wire protocol.
    _, headers, body = response.serialized(ActionResult(_InjectedError(fault.error, fault.message)))
    headers["status"] = str(fault.status)
    # The interpreter fails on an answer without a request id.
    return fault.status, *BaseResponse._enrich_response(headers, body)  # noqa: SLF001 - it makes the id


def _parameters_of(response: BaseResponse) -> dict[str, Any]:
    """The parameters as boto3 names them, whatever the wire protocol and however moto itself reads them."""
    reader = copy(response)
    reader.PROTOCOL_PARSER_MAP_TYPE = dict
    reader.parse_parameters(response.normalized_request)
    return dict(reader.params)


def _error_code_of(response: BaseResponse, answer: TypeResponse) -> str:
    """The code that boto3 would find in this answer."""
    status, headers, body = answer
    protocol = response.determine_response_protocol(get_service_model(response.boto3_service_name))
    seen = {
        "status_code": status,
        "headers": {name.lower(): str(value) for name, value in headers.items()},
        "body": body.encode() if isinstance(body, str) else body,
    }
    no_shape: Any = None  # an error needs none to be parsed
    return str(create_parser(protocol).parse(seen, no_shape)["Error"]["Code"])
