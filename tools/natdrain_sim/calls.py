"""The record of every API call with the role that made it, and the injection of faults.

The one seam is ``BaseResponse.call_action``. Every request of every service passes through it, in process and
over HTTP, when its operation is known and its response does not exist yet.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

from botocore.parsers import create_parser
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model
from pydantic import Field, PositiveFloat, PositiveInt

from natdrain_sim.clock import Clock
from natdrain_sim.seams import Seam

Response = tuple[int, dict[str, Any], str | bytes]
_acting_role: ContextVar[str | None] = ContextVar("acting_role", default=None)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Record the calls of this thread as calls of the role with this ARN."""
    token = _acting_role.set(role)
    try:
        yield
    finally:
        _acting_role.reset(token)


@dataclass(kw_only=True)
class Call:
    """One API call, its error code if it failed, and the role that made it (None: an external client)."""

    at: datetime
    service: str
    operation: str
    role: str | None
    parameters: dict[str, Any]
    error: str | None = None

    @property
    def name(self) -> str:
        """Return the operation as boto3 and the API name it: `ec2:DescribeNatGateways`."""
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An error that a call returns instead of, or after, its effect.

    `docs/embedded-cloud.md` explains the fields. The numbers in ``calls`` count the calls of that operation
    by those roles.
    """

    operation: str
    error: str
    message: str = "injected fault"
    status: int = 503
    calls: Annotated[frozenset[PositiveInt], Field(min_length=1)] | None = None
    for_seconds: PositiveFloat | None = None
    role_contains: str | None = None
    after_effect: bool = False

    def concerns(self, call: Call) -> bool:
        """Return whether the call has the operation and a role of this fault."""
        return self.operation == call.name and (self.role_contains or "") in (call.role or "")


@dataclass
class Recorder:
    """The calls so far, and the faults to inject from now on."""

    faults: Sequence[Fault] = ()
    calls: list[Call] = field(default_factory=list)
    _call_counts: Counter[Fault] = field(default_factory=Counter)
    _began_at: dict[Fault, datetime] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, call: Call) -> Fault | None:
        """Record a call before it is made, so before the calls that it causes; return the fault to inject."""
        with self._lock:
            self.calls.append(call)
            faults = [fault for fault in self.faults if fault.concerns(call)]
            self._call_counts.update(faults)
            return next((fault for fault in faults if self._hits(fault, call.at)), None)

    def _hits(self, fault: Fault, at: datetime) -> bool:
        numbered = fault.calls is None or self._call_counts[fault] in fault.calls
        if fault.for_seconds is None:
            return numbered
        if numbered:
            self._began_at.setdefault(fault, at)
        began_at = self._began_at.get(fault)
        return began_at is not None and at - began_at < timedelta(seconds=fault.for_seconds)


def seams(recorder: Recorder, clock: Clock) -> Iterator[Seam]:
    """Yield the seam that records each call, and stops the clock while it runs."""
    original = BaseResponse.call_action

    def call_action(response: BaseResponse) -> Response:
        operation = response._get_action()  # noqa: SLF001 - nothing else in moto knows it
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
                result = original(response)
            if fault is not None:
                result = _error_response(fault, response)
            if result[0] >= 400:  # noqa: PLR2004 - HTTP
                call.error = _error_code_of(response, result)
            return result

    yield BaseResponse, "call_action", call_action


class _InjectedError(ServiceException):
    """An exception that is not in one of moto's modules, from which moto would derive its service."""


def _error_response(fault: Fault, response: BaseResponse) -> Response:
    # moto's own serializer uses the service's wire protocol.
    _, headers, body = response.serialized(ActionResult(_InjectedError(fault.error, fault.message)))
    headers["status"] = str(fault.status)
    # The interpreter fails on a response without a request id.
    return fault.status, *BaseResponse._enrich_response(headers, body)  # noqa: SLF001 - it adds the id


def _parameters_of(response: BaseResponse) -> dict[str, Any]:
    """Return the parameters under boto3's names, for every wire protocol."""
    reader = copy(response)
    reader.PROTOCOL_PARSER_MAP_TYPE = dict
    reader.parse_parameters(response.normalized_request)
    return dict(reader.params)


def _error_code_of(response: BaseResponse, result: Response) -> str:
    """Return the error code that boto3 finds in a response."""
    status, headers, body = result
    protocol = response.determine_response_protocol(get_service_model(response.boto3_service_name))
    received = {
        "status_code": status,
        "headers": {name.lower(): str(value) for name, value in headers.items()},
        "body": body.encode() if isinstance(body, str) else body,
    }
    no_shape: Any = None  # parsing an error needs none
    return str(create_parser(protocol).parse(received, no_shape)["Error"]["Code"])
