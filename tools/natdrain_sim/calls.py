"""Every API call made through moto, recorded with the role that made it, and the faults put in its way.

The one seam is ``BaseResponse.call_action``: in process and over HTTP alike, each service's requests come
by there with the operation known and the answer not yet made.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
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


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An error that the cloud answers instead of doing what it was asked.

    ``operation`` is ``service:Operation`` as boto3 and the API name them (``ec2:DescribeNatGateways``,
    ``stepfunctions:StartExecution``). ``calls`` are the numbers, from 1, of the calls to spoil, counted
    among those that the fault looks at; None spoils every one. With ``role_contains`` it looks only at
    calls by roles whose ARN contains that. With ``after_effect`` the operation is performed, and only its
    answer is lost.
    """

    operation: str
    error: str
    message: str = "injected fault"
    status: int = 503
    calls: frozenset[int] | None = None
    role_contains: str | None = None
    after_effect: bool = False

    def looks_at(self, call: Call) -> bool:
        """Tell whether the operation and the role of a call are those of this fault."""
        same_operation = self.operation == f"{call.service}:{call.operation}"
        return same_operation and (self.role_contains or "") in (call.role or "")


@dataclass
class Recorder:
    """What was called so far, and the faults to inject from now on."""

    faults: Sequence[Fault] = ()
    calls: list[Call] = field(default_factory=list)
    _seen: Counter[Fault] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, call: Call) -> Fault | None:
        """Note a call before it is made, and so before what it leads to; returns the fault that spoils it."""
        with self._lock:
            self.calls.append(call)
            looking = [fault for fault in self.faults if fault.looks_at(call)]
            self._seen.update(looking)
            return next((f for f in looking if f.calls is None or self._seen[f] in f.calls), None)


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
            answer = _answer(fault, response, lambda: original(response))
            if answer[0] >= 400:  # noqa: PLR2004 - HTTP
                call.error = _error_code_of(response, answer)
            return answer

    yield BaseResponse, "call_action", call_action


class _InjectedError(ServiceException):
    """Of this module, because moto looks up the service of its own exceptions by their module."""


def _answer(fault: Fault | None, response: BaseResponse, act: Callable[[], TypeResponse]) -> TypeResponse:
    if fault is None:
        return act()
    if fault.after_effect:
        act()
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
    content = body.encode() if isinstance(body, str) else body
    lower = {name.lower(): str(value) for name, value in headers.items()}
    no_shape: Any = None  # an error needs none to be parsed
    parsed = create_parser(protocol).parse(
        {"status_code": status, "headers": lower, "body": content}, no_shape
    )
    return str(parsed["Error"]["Code"])
