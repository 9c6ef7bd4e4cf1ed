"""EC2 as natdrain uses it: looks, requests, and dry runs."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from natdrain.aws import clients, clock, errors
from natdrain.model.errors import AssociateFailed, DrainFailed, RequestRefused
from natdrain.model.gateway import Gateway
from natdrain.model.look import ElasticIp
from natdrain.model.problem import Problem
from natdrain.model.request import Association
from natdrain.report import refusals

_DISASSOCIATE = "ec2:DisassociateNatGatewayAddress"
_ASSOCIATE = "ec2:AssociateNatGatewayAddress"
_RELEASE = "ec2:ReleaseAddress"
# Any: EC2's model names this parameter Filter, the paginator's type stub Filters.
_WITH_ADDRESSES: Any = {"Filter": [{"Name": "state", "Values": ["pending", "available", "deleting"]}]}


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted request: what it asked for began between `at` and `answered_at`."""

    at: datetime
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that EC2 did not accept; another look shows what that means.

    `busy`: another operation runs on the gateway, and waiting helps. `denied`: a permission is missing.
    `unknown`: EC2 does not know an allocation.
    """

    at: datetime
    text: str
    busy: bool = False
    denied: bool = False
    unknown: bool = False


def find_gateways(public_ips: Collection[str]) -> dict[str, list[str]]:
    """Find the gateways that have any of the public IPs; return for each the ones that it has."""
    found: dict[str, list[str]] = {}
    with errors.transient_failures(repeatable=True):
        # DescribeNatGateways has no filter for an address, and DescribeAddresses lags behind it.
        for page in clients.ec2().get_paginator("describe_nat_gateways").paginate(**_WITH_ADDRESSES):
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
    return _ask_once(
        lambda: clients.ec2_once().disassociate_nat_gateway_address(
            NatGatewayId=gateway_id,
            AssociationIds=list(association_ids),
            MaxDrainDurationSeconds=limit_seconds,
        ),
        _DISASSOCIATE,
        _targets(gateway_id, association_ids),
    )


def associate(gateway_id: str, call: Association) -> Accepted | Refused:
    """Ask EC2 once to associate allocations with the gateway.

    EC2 offers no idempotency for this call; a repeated one is answered as refused.

    Raises:
        TransientFailure: EC2 cannot answer now; it may have accepted all the same.
    """
    parameters: Any = {"NatGatewayId": gateway_id, **call.to_json()}
    return _ask_once(
        lambda: clients.ec2_once().associate_nat_gateway_address(**parameters),
        _ASSOCIATE,
        _targets(gateway_id, call.allocation_ids),
    )


def _ask_once(call: Callable[[], object], action: str, targets: str) -> Accepted | Refused:
    asked_at = clock.now()
    try:
        with errors.transient_failures():
            call()
    except ClientError as error:
        code = errors.code_of(error)
        if code == errors.UNAUTHORIZED:
            return Refused(clock.now(), str(_denied(action, targets, error)), denied=True)
        busy, unknown = code == errors.OPERATION_IN_PROGRESS, code == errors.ALLOCATION_NOT_FOUND
        return Refused(clock.now(), errors.text_of(error), busy=busy, unknown=unknown)
    return Accepted(asked_at, clock.now())


def release(allocation_id: str) -> Accepted | Refused:
    """Release an allocation, for good; one that EC2 no longer knows has been released.

    Raises:
        TransientFailure: EC2 cannot answer now; it may have released it all the same.
    """
    asked_at = clock.now()
    try:
        with errors.transient_failures():
            clients.ec2_once().release_address(AllocationId=allocation_id)
    except ClientError as error:
        if (code := errors.code_of(error)) != errors.ALLOCATION_NOT_FOUND:
            busy, denied = code in errors.IN_USE | errors.DOUBTED_CODES, code == errors.UNAUTHORIZED
            return Refused(clock.now(), errors.text_of(error), busy=busy, denied=denied)
    return Accepted(asked_at, clock.now())


def prove_right_to_release(allocation_id: str) -> None:
    """Prove with EC2's own dry run that the allocation could be released, as `prove_permission` does."""
    with _dry_run(_RELEASE, allocation_id):
        clients.ec2().release_address(AllocationId=allocation_id, DryRun=True)


def prove_permission(gateway_id: str, association_ids: Sequence[str], limit_seconds: int) -> None:
    """Prove with EC2's own dry run that the request would be permitted; nothing changes.

    EC2 user guide: a dry run never succeeds; `DryRunOperation` means permitted. It is a check of
    permissions and says nothing about the state of the gateway.

    Raises:
        RequestRefused: it would not be permitted, or EC2 finds fault with it.
    """
    with _dry_run(_DISASSOCIATE, _targets(gateway_id, association_ids), repeatable=True):
        clients.ec2().disassociate_nat_gateway_address(
            NatGatewayId=gateway_id,
            AssociationIds=list(association_ids),
            MaxDrainDurationSeconds=limit_seconds,
            DryRun=True,
        )


def prove_right_to_associate(gateway_id: str, call: Association) -> None:
    """Prove with EC2's own dry run that the allocations could be associated, as `prove_permission` does."""
    parameters: Any = {"NatGatewayId": gateway_id, **call.to_json()}
    with _dry_run(_ASSOCIATE, _targets(gateway_id, call.allocation_ids), repeatable=True):
        clients.ec2().associate_nat_gateway_address(**parameters, DryRun=True)


@contextmanager
def _dry_run(action: str, resource: str, *, repeatable: bool = False) -> Iterator[None]:
    try:
        with errors.transient_failures(repeatable=repeatable):
            yield
    except ClientError as error:
        code = errors.code_of(error)
        if code == errors.UNAUTHORIZED:
            raise RequestRefused(_denied(action, resource, error)) from error
        if code != errors.DRY_RUN_PERMITTED:
            answer = errors.text_of(error)
            raise RequestRefused(refusals.DRY_RUN_ANSWERED.about(None, answer=answer)) from error
    else:
        failed = AssociateFailed if action == _ASSOCIATE else DrainFailed
        raise failed(refusals.DRY_RUN_CARRIED_OUT.about(None))


def describe_gateway(gateway_id: str) -> Gateway | None:
    """Return the gateway as EC2 shows it now, or None if EC2 knows no such gateway."""
    try:
        with errors.transient_failures(repeatable=True):
            shapes = clients.ec2().describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
    except ClientError as error:
        if errors.code_of(error) in errors.GATEWAY_NOT_FOUND:
            return None
        raise
    return Gateway.from_ec2(shapes[0]) if shapes else None


def describe_elastic_ips(allocation_ids: Sequence[str]) -> dict[str, ElasticIp]:
    """Return the allocations that EC2 knows, by id, as it shows them now."""
    # A filter leaves out what does not exist, where AllocationIds would fail the whole call.
    of_these: Any = [{"Name": "allocation-id", "Values": list(allocation_ids)}]
    with errors.transient_failures(repeatable=True):
        shapes = clients.ec2().describe_addresses(Filters=of_these)["Addresses"] if allocation_ids else []
    return {
        shape["AllocationId"]: ElasticIp(
            tags={tag["Key"]: tag["Value"] for tag in shape.get("Tags", [])},
            public_ip=shape.get("PublicIp"),
            association_id=shape.get("AssociationId"),
            network_interface_id=shape.get("NetworkInterfaceId"),
            service_managed=shape.get("ServiceManaged"),
            border_group=shape.get("NetworkBorderGroup"),
        )
        for shape in shapes
    }


def _targets(gateway_id: str, names: Sequence[str]) -> str:
    return refusals.ADDRESSES_OF.with_(gateway=gateway_id, names=", ".join(names))


def _denied(action: str, resource: str, error: ClientError) -> Problem:
    return refusals.DENIED.about(None, action=action, resource=resource, answer=errors.text_of(error))
