"""What is told on the event bus: that addresses begin to leave, and how an execution ended.

`schemas/` describes the events, and `docs/events.md` how they come. PutEvents takes an entry of less than
256 KB (EventBridge user guide, PutEvents event entry size); the longest of these has some 150 KB, since an
`Outcome` bounds its result and `natdrain.messages` its texts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from natdrain.change.conclude import IGNORED, Outcome
from natdrain.intake.request import BY_HAND, Request
from natdrain.model.drain import Drain, timestamp
from natdrain.report import message as messages

__all__ = ["STATUSES", "ended", "is_told", "started"]

STATUSES = ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")
"""How an execution can end (Step Functions API reference, DescribeExecution, status)."""


def is_told(request: Request | None, outcome: Outcome) -> bool:
    """Nothing is told of dry runs, nor of a trigger that another execution handles."""
    return not (request and request.dry_run) and outcome.name != IGNORED


def started(*, execution: str, request: Request, drains: Sequence[Drain]) -> dict[str, Any]:
    """The detail of `Drain Started`; `drains` are those that newly leave."""
    message = messages.started(request, drains)
    addresses = [_address(drain) for drain in drains]
    return _common(execution, request.gateway_id, request, message) | {"Addresses": addresses}


def ended(*, execution: str, request: Request | None, outcome: Outcome, status: str) -> dict[str, Any]:
    """The detail of `Drain Ended`: the result, and who asked for what.

    Args:
        execution: its ARN.
        request: None when the input could not be read as one.
        outcome: what came of it.
        status: one of `STATUSES`.
    """
    message = messages.ended(request, outcome, execution=execution)
    # The cause is the result, and bounded.
    result: dict[str, Any] = json.loads(outcome.to_cause())
    common = _common(execution, outcome.gateway_id, request, message)
    return common | {"Status": status, "Error": outcome.error} | result


def _common(
    execution: str, gateway_id: str | None, request: Request | None, message: messages.Message
) -> dict[str, Any]:
    trigger = request.trigger.to_json() if request and request.trigger else {"Kind": BY_HAND}
    return {
        "Execution": execution,
        "NatGatewayId": gateway_id,
        "Trigger": trigger if request else None,
        "Reason": request.reason if request else None,
        "AfterDrain": request.after_drain.value if request else None,
        "Title": message.title,
        "Message": message.text,
    }


def _address(drain: Drain) -> dict[str, Any]:
    return {
        "AllocationId": drain.allocation_id,
        "AssociationId": drain.association_id,
        "PublicIp": drain.public_ip,
        "PrivateIp": drain.private_ip,
        "Adopted": drain.adopted,
        "RequestedAt": drain.requested_at and timestamp(drain.requested_at),
        "MaxDrainDurationSeconds": drain.limit_seconds,
        "LeavesBy": drain.limit_at and timestamp(drain.limit_at),
    }
