"""The events on the bus: that addresses begin to leave or join, and how an execution ended (see `schemas/`).

PutEvents takes an entry of less than 256 KB (EventBridge user guide, PutEvents event entry size); the longest
of these has some 150 KB, since results and messages are bounded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.instants import timestamp
from natdrain.model.join import Join
from natdrain.model.outcome import ExecutionOutcome, ExecutionStatus
from natdrain.model.request import BY_HAND, Request, Trigger
from natdrain.report import joins, message
from natdrain.report.result import stake


def is_published(request: Request | None, end: Conclusion) -> bool:
    """Return False for dry runs, and for a trigger that another execution handles."""
    return not (request and request.dry_run) and end.outcome is not ExecutionOutcome.IGNORED


def started(*, execution: str, request: Request, addresses: Sequence[Drain | Join]) -> dict[str, Any]:
    """Return the detail of `Change Started`; `addresses` are those that newly leave or join."""
    text = message.started(request, addresses)
    common = _common(execution, request.gateway_id, request, request.trigger, text)
    rows = [joins.started(one) if isinstance(one, Join) else _address(one) for one in addresses]
    return common | {"Direction": request.direction.value, "Addresses": rows}


def ended(
    execution: str,
    request: Request | None,
    end: Conclusion,
    result: Mapping[str, Any],
    status: ExecutionStatus,
    *,
    region: str,
) -> dict[str, Any]:
    """Return the detail of `Change Ended`: the result, and who asked for what.

    `execution` is an ARN; `request` is None when the input could not be read as one; `result` is the end as
    `natdrain.report.result` writes it; `region` is for commands that people can paste.
    """
    text = message.ended(request, end, execution=execution, region=region)
    return (
        _common(execution, end.gateway_id, request, end.trigger_of(request), text)
        | {"Status": status.value, "Error": end.error}
        | dict(result)
    )


def _common(
    execution: str,
    gateway_id: str | None,
    request: Request | None,
    trigger: Trigger | None,
    text: message.Message,
) -> dict[str, Any]:
    by_hand = {"Kind": BY_HAND} if request else None
    return {
        "Execution": execution,
        "NatGatewayId": gateway_id,
        "Trigger": trigger.to_json() if trigger else by_hand,
        "Reason": request.reason if request else None,
        "AfterDrain": request.after_drain.value if request and not request.joins else None,
        "Title": text.title,
        "Message": text.text,
    }


def _address(drain: Drain) -> dict[str, Any]:
    progress = drain.progress
    return {
        "AllocationId": drain.allocation_id,
        "AssociationId": drain.association_id,
        "PublicIp": drain.public_ip,
        "PrivateIp": drain.private_ip,
        "Adopted": progress.adopted,
        "RequestedAt": progress.requested_at and timestamp(progress.requested_at),
        "MaxDrainDurationSeconds": progress.limit_seconds,
        "LeavesBy": drain.limit_at and timestamp(drain.limit_at),
    } | stake(drain)
