"""EC2 as natdrain uses it: one look, one request, and EC2's error codes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from natdrain import aws
from natdrain.errors import DrainFailed, RequestRefused
from natdrain.gateways import Address, Gateway, Look

__all__ = ["Accepted", "Refused", "disassociate", "find_gateways", "look", "prove_permission"]

# EC2 API reference, error codes; which call answers which, seen in clients that run every day.
GATEWAY_NOT_FOUND = frozenset({"NatGatewayNotFound", "InvalidNatGatewayID.NotFound", "NatGatewayMalformed"})
OPERATION_IN_PROGRESS = "OperationInProgress"
UNAUTHORIZED = "UnauthorizedOperation"
DRY_RUN_PERMITTED = "DryRunOperation"

# Any: EC2's model names this parameter Filter, the paginator's type stub Filters.
_WITH_ADDRESSES: Any = {"Filter": [{"Name": "state", "Values": ["pending", "available", "deleting"]}]}


@dataclass(frozen=True, slots=True)
class Accepted:
    """EC2 took the request: the drain began at `at`, or within the seconds that the call took after it."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """EC2 did not take it; another look tells what that means.

    `busy`: another operation runs on the gateway, and waiting mends it. `denied`: a permission is missing.
    """

    at: datetime
    text: str
    busy: bool = False
    denied: bool = False


def look(gateway_id: str, *, tags_of: Callable[[Address], bool]) -> Look:
    """One fresh view of the gateway, with the tags of the allocations that `tags_of` chooses."""
    gateway = _describe_gateway(gateway_id)
    allocation_ids = (
        [a.allocation_id for a in gateway.addresses if a.allocation_id and tags_of(a)] if gateway else []
    )
    tags = _allocation_tags(allocation_ids) if allocation_ids else {}
    return Look(seen_at=_now(), gateway=gateway, allocation_tags=tags)


def find_gateways(public_ips: Collection[str]) -> dict[str, list[str]]:
    """The gateways that have any of the public IPs, each with those it has."""
    found: dict[str, list[str]] = {}
    with aws.transient_failures():
        # DescribeNatGateways has no filter for an address, and DescribeAddresses lags behind it.
        for page in aws.ec2().get_paginator("describe_nat_gateways").paginate(**_WITH_ADDRESSES):
            for shape in page["NatGateways"]:
                gateway = Gateway.from_ec2(shape)
                ips = [a.public_ip for a in gateway.addresses if a.public_ip in public_ips]
                if ips:
                    found[gateway.gateway_id] = [str(ip) for ip in ips]
    return found


def disassociate(gateway_id: str, association_ids: Sequence[str], limit_seconds: int) -> Accepted | Refused:
    """Ask EC2 once to drain the associations and take them off the gateway.

    EC2 offers no idempotency for this call; a repeated one is answered as refused.

    Raises:
        TransientFailure: EC2 cannot answer now; it may have accepted all the same.
    """
    asked_at = _now()
    try:
        with aws.transient_failures():
            aws.ec2_once().disassociate_nat_gateway_address(
                NatGatewayId=gateway_id,
                AssociationIds=list(association_ids),
                MaxDrainDurationSeconds=limit_seconds,
            )
    except ClientError as error:
        code, text = aws.code_of(error), aws.text_of(error)
        if code == UNAUTHORIZED:
            return Refused(_now(), _denied(gateway_id, association_ids, text), denied=True)
        return Refused(_now(), text, busy=code == OPERATION_IN_PROGRESS)
    return Accepted(asked_at)


def prove_permission(gateway_id: str, association_ids: Sequence[str], limit_seconds: int) -> None:
    """Prove with EC2's own dry run that the request would be permitted; nothing changes.

    EC2 user guide: a dry run never succeeds; `DryRunOperation` means permitted. It is a check of
    permissions and says nothing about the state of the gateway.

    Raises:
        RequestRefused: it would not be permitted, or EC2 finds fault with it.
    """
    try:
        with aws.transient_failures():
            aws.ec2().disassociate_nat_gateway_address(
                NatGatewayId=gateway_id,
                AssociationIds=list(association_ids),
                MaxDrainDurationSeconds=limit_seconds,
                DryRun=True,
            )
    except ClientError as error:
        if aws.code_of(error) == DRY_RUN_PERMITTED:
            return
        if aws.code_of(error) == UNAUTHORIZED:
            raise RequestRefused(_denied(gateway_id, association_ids, aws.text_of(error))) from error
        raise RequestRefused(f"EC2 answered the dry run with {aws.text_of(error)}") from error
    raise DrainFailed(f"EC2 carried out a dry run on {gateway_id}, which it documents never to do.")


def _now() -> datetime:
    return datetime.now(UTC)


def _describe_gateway(gateway_id: str) -> Gateway | None:
    try:
        with aws.transient_failures():
            shapes = aws.ec2().describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
    except ClientError as error:
        if aws.code_of(error) in GATEWAY_NOT_FOUND:
            return None
        raise
    return Gateway.from_ec2(shapes[0]) if shapes else None


def _allocation_tags(allocation_ids: list[str]) -> dict[str, dict[str, str]]:
    # A filter leaves out what does not exist, where AllocationIds would fail the whole call.
    with aws.transient_failures():
        shapes = aws.ec2().describe_addresses(Filters=[{"Name": "allocation-id", "Values": allocation_ids}])[
            "Addresses"
        ]
    return {
        shape["AllocationId"]: {tag["Key"]: tag["Value"] for tag in shape.get("Tags", [])} for shape in shapes
    }


def _denied(gateway_id: str, association_ids: Sequence[str], text: str) -> str:
    return (
        f"EC2 denies ec2:DisassociateNatGatewayAddress on {gateway_id} with {', '.join(association_ids)} "
        f"({text}). The gateway and its Elastic IPs must carry the opt-in tag and no protect tag."
    )
