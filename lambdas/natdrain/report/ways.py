"""The ways back and on: requests that undo what an execution has changed, or go on with it."""

import json
from collections.abc import Sequence
from typing import Any

from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.gateway import zone_option
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome, Changed, ExecutionOutcome
from natdrain.model.request import Request
from natdrain.report.joins import zone_field
from natdrain.report.wording import grouped

_STILL_OURS = {AddressOutcome.DRAINED, AddressOutcome.RELEASE_FAILED}


def put_back(end: Conclusion) -> dict[str, Any] | None:
    """Return the request that undoes what has left, or what has joined; None if there is nothing to undo."""
    if end.gateway_id is None:
        return None
    if joined := _joined(end):
        return {"NatGatewayId": end.gateway_id, **_named(joined)}
    calls = [
        {
            "AllocationIds": [drain.allocation_id for drain in drains],
            **({zone_field(zone): zone} if zone else {}),
        }
        for zone, drains in _left(end).items()
    ]
    return {"NatGatewayId": end.gateway_id, "Associate": calls} if calls else None


def go_on(end: Conclusion, request: Request | None) -> dict[str, Any] | None:
    """Return the request that goes on with what is not done; None if nothing is, or nothing was begun."""
    stopped = {ExecutionOutcome.STOPPED, ExecutionOutcome.TIMED_OUT}
    unfinished = end.error is not None or end.outcome in stopped
    if request is None or end.changed is Changed.NONE or not unfinished:
        return None
    return {key: value for key, value in request.to_json().items() if key != "Trigger"}


def as_command(request: dict[str, Any] | None, *, execution: str, region: str) -> dict[str, Any] | None:
    """Return a request with the command that runs it, on the state machine of this execution.

    `execution` is an ARN: the state machine's has the same parts without the last one (Step Functions
    developer guide, ARNs).
    """
    if request is None:
        return None
    machine = execution.rpartition(":")[0].replace(":execution:", ":stateMachine:")
    text = json.dumps(request).replace("'", "\\u0027")
    where = f"--region {region} --state-machine-arn {machine}"
    return {"Request": request, "Command": f"aws stepfunctions start-execution {where} --input '{text}'"}


def ec2_commands(end: Conclusion, *, region: str) -> list[str]:
    """Return EC2's own commands for `put_back`: they have no quotation marks, and so fit into a message."""
    gateway = f"--region {region} --nat-gateway-id {end.gateway_id}"
    if joined := [join for join in _joined(end) if join.association_id]:
        ids = " ".join(str(join.association_id) for join in joined)
        return [f"aws ec2 disassociate-nat-gateway-address {gateway} --association-ids {ids}"]
    return [
        f"aws ec2 associate-nat-gateway-address {gateway}{zone_option(zone) if zone else ''} "
        f"--allocation-ids {' '.join(str(drain.allocation_id) for drain in drains)}"
        for zone, drains in _left(end).items()
    ]


def _joined(end: Conclusion) -> list[Join]:
    return [join for join in end.joins if end.of(join) is AddressOutcome.JOINED]


def _named(joined: Sequence[Join]) -> dict[str, Any]:
    """Return what has joined as fields of a request: the associations, if EC2 shows them all."""
    if all(join.association_id for join in joined):
        return {"AssociationIds": [join.association_id for join in joined]}
    return {"Disassociate": {"AllocationIds": [join.allocation_id for join in joined]}}


def _left(end: Conclusion) -> dict[str | None, list[Drain]]:
    """Return what has left and is still ours, by zone: EC2 associates those of one zone in a call."""
    drains = [d for d in end.drains if d.outcome in _STILL_OURS and end.of(d) is not AddressOutcome.UNKNOWN]
    return grouped([drain for drain in drains if drain.allocation_id], lambda drain: drain.zone)
