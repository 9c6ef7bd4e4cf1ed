"""EC2 as natdrain uses it: one look, one request, and EC2's error codes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from natdrain.aws import clients as aws
from natdrain.model.errors import DrainFailed, RequestRefused
from natdrain.model.gateway import Gateway
from natdrain.model.look import ElasticIp

__all__ = [
    "Accepted",
    "Refused",
    "describe_elastic_ips",
    "describe_gateway",
    "disassociate",
    "find_gateways",
    "now",
    "prove_permission",
    "prove_right_to_release",
    "release",
]

# EC2 API reference, error codes; which call answers which, seen in clients that run every day.
GATEWAY_NOT_FOUND = frozenset({"NatGatewayNotFound", "InvalidNatGatewayID.NotFound", "NatGatewayMalformed"})
OPERATION_IN_PROGRESS = "OperationInProgress"
UNAUTHORIZED = "UnauthorizedOperation"
DRY_RUN_PERMITTED = "DryRunOperation"
ALLOCATION_NOT_FOUND = "InvalidAllocationID.NotFound"
# Of an address that is in use, or was just now.
IN_USE = frozenset({"InvalidIPAddress.InUse", "AuthFailure"})

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
    asked_at = now()
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
            denied = f"{_denied(gateway_id, association_ids)} ({text}). {_TAGS_WANTED}"
            return Refused(now(), denied, denied=True)
        return Refused(now(), text, busy=code == OPERATION_IN_PROGRESS)
    return Accepted(asked_at)


def release(allocation_id: str) -> Accepted | Refused:
    """Give an allocation back to AWS, for good; one that EC2 no longer knows has been given back.

    Raises:
        TransientFailure: EC2 cannot answer now; it may have released it all the same.
    """
    asked_at = now()
    try:
        with aws.transient_failures():
            aws.ec2_once().release_address(AllocationId=allocation_id)
    except ClientError as error:
        if (code := aws.code_of(error)) != ALLOCATION_NOT_FOUND:
            return Refused(now(), aws.text_of(error), busy=code in IN_USE, denied=code == UNAUTHORIZED)
    return Accepted(asked_at)


def prove_right_to_release(allocation_id: str) -> None:
    """Prove with EC2's own dry run that the allocation could be given back; nothing changes.

    Raises:
        RequestRefused: it would not be permitted, or EC2 finds fault with it.
    """
    _prove(
        lambda: aws.ec2().release_address(AllocationId=allocation_id, DryRun=True),
        f"EC2 denies ec2:ReleaseAddress on {allocation_id}",
        "The Elastic IP must carry the opt-in tag and no protect tag.",
    )


def prove_permission(gateway_id: str, association_ids: Sequence[str], limit_seconds: int) -> None:
    """Prove with EC2's own dry run that the request would be permitted; nothing changes.

    EC2 user guide: a dry run never succeeds; `DryRunOperation` means permitted. It is a check of
    permissions and says nothing about the state of the gateway.

    Raises:
        RequestRefused: it would not be permitted, or EC2 finds fault with it.
    """
    _prove(
        lambda: aws.ec2().disassociate_nat_gateway_address(
            NatGatewayId=gateway_id,
            AssociationIds=list(association_ids),
            MaxDrainDurationSeconds=limit_seconds,
            DryRun=True,
        ),
        _denied(gateway_id, association_ids),
        _TAGS_WANTED,
    )


def _prove(dry_run: Callable[[], object], denied: str, advice: str) -> None:
    try:
        with aws.transient_failures():
            dry_run()
    except ClientError as error:
        if aws.code_of(error) == DRY_RUN_PERMITTED:
            return
        if aws.code_of(error) == UNAUTHORIZED:
            raise RequestRefused(f"{denied} ({aws.text_of(error)}). {advice}") from error
        raise RequestRefused(f"EC2 answered the dry run with {aws.text_of(error)}") from error
    raise DrainFailed("EC2 carried out a dry run, which it documents never to do.")


def now() -> datetime:
    """The present instant, aware UTC."""
    return datetime.now(UTC)


def describe_gateway(gateway_id: str) -> Gateway | None:
    """The gateway as EC2 shows it now; None when EC2 knows no such gateway."""
    try:
        with aws.transient_failures():
            shapes = aws.ec2().describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
    except ClientError as error:
        if aws.code_of(error) in GATEWAY_NOT_FOUND:
            return None
        raise
    return Gateway.from_ec2(shapes[0]) if shapes else None


def describe_elastic_ips(allocation_ids: Sequence[str]) -> dict[str, ElasticIp]:
    """The allocations as EC2 shows them now, by id, without those that it does not know."""
    # A filter leaves out what does not exist, where AllocationIds would fail the whole call.
    of_these: Any = [{"Name": "allocation-id", "Values": list(allocation_ids)}]
    with aws.transient_failures():
        shapes = aws.ec2().describe_addresses(Filters=of_these)["Addresses"] if allocation_ids else []
    return {
        shape["AllocationId"]: ElasticIp(
            tags={tag["Key"]: tag["Value"] for tag in shape.get("Tags", [])},
            association_id=shape.get("AssociationId"),
        )
        for shape in shapes
    }


_TAGS_WANTED = "The gateway and its Elastic IPs must carry the opt-in tag and no protect tag."


def _denied(gateway_id: str, association_ids: Sequence[str]) -> str:
    return f"EC2 denies ec2:DisassociateNatGatewayAddress on {gateway_id} with {', '.join(association_ids)}"
