"""Finding and removing what runs of `verify-aws` created, by its tag and by nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from account import DELETED_SECONDS, TAG
from real_account import STALE_SECONDS, Pace

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

GONE_SECONDS = 180
"""How long EC2 may refuse because of something that is gone already. Of ReleaseAddress that was seen as
InvalidIPAddress.InUse, as AuthFailure (kubernetes/kops issue 938) and as InvalidNetworkInterfaceID.NotFound
(hashicorp/terraform-provider-aws issue 49299), so no code is taken for the last word."""


def tell(text: str) -> None:
    """Print a line at once."""
    with suppress(OSError):  # nobody reads any more, and that must not stop the cleaning up
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


@dataclass(frozen=True)
class Kind:
    """What can be created, how it is found, and how it is removed."""

    name: str
    operation: str
    """Of DescribeNatGateways, for instance, `nat_gateways`."""
    id_key: str
    remove: Callable[[EC2Client, str], bool]
    """Begin to remove it or go on with that; tells whether it is gone."""
    not_found: str
    command: str
    patience_seconds: int = GONE_SECONDS


def _remove_gateway(ec2: EC2Client, one: str) -> bool:
    [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[one])["NatGateways"]
    if gateway["State"] not in {"deleting", "deleted"}:
        ec2.delete_nat_gateway(NatGatewayId=one)
    return gateway["State"] == "deleted"


def _release(ec2: EC2Client, one: str) -> bool:
    ec2.release_address(AllocationId=one)
    return True


def _remove_internet_gateway(ec2: EC2Client, one: str) -> bool:
    [gateway] = ec2.describe_internet_gateways(InternetGatewayIds=[one])["InternetGateways"]
    for attachment in gateway["Attachments"]:
        ec2.detach_internet_gateway(InternetGatewayId=one, VpcId=attachment["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=one)
    return True


def _remove_subnet(ec2: EC2Client, one: str) -> bool:
    ec2.delete_subnet(SubnetId=one)
    return True


def _remove_vpc(ec2: EC2Client, one: str) -> bool:
    ec2.delete_vpc(VpcId=one)
    return True


# In the order of removal: each stands on what comes after it.
KINDS = {
    "nat": Kind(
        "NAT gateway",
        "nat_gateways",
        "NatGatewayId",
        _remove_gateway,
        "NatGatewayNotFound",
        "delete-nat-gateway --nat-gateway-id",
        DELETED_SECONDS,
    ),
    "eipalloc": Kind(
        "Elastic IP",
        "addresses",
        "AllocationId",
        _release,
        "InvalidAllocationID.NotFound",
        "release-address --allocation-id",
    ),
    "igw": Kind(
        "internet gateway",
        "internet_gateways",
        "InternetGatewayId",
        _remove_internet_gateway,
        "InvalidInternetGatewayID.NotFound",
        "delete-internet-gateway --internet-gateway-id",
    ),
    "subnet": Kind(
        "subnet",
        "subnets",
        "SubnetId",
        _remove_subnet,
        "InvalidSubnetID.NotFound",
        "delete-subnet --subnet-id",
    ),
    "vpc": Kind("VPC", "vpcs", "VpcId", _remove_vpc, "InvalidVpcID.NotFound", "delete-vpc --vpc-id"),
}


def name(resource_id: str) -> str:
    """Name a resource as people do."""
    return f"{_kind(resource_id).name} {resource_id}"


def _kind(resource_id: str) -> Kind:
    return KINDS[resource_id.partition("-")[0]]


def find(ec2: EC2Client, run_id: str = "*") -> list[str]:
    """Return the id of everything that carries the tag of a run, or of any."""
    found: list[str] = []
    for kind in KINDS.values():
        filters = "Filter" if kind.operation == "nat_gateways" else "Filters"
        parameters = {filters: [{"Name": f"tag:{TAG}", "Values": [run_id]}]}
        for page in _pages(ec2, f"describe_{kind.operation}", parameters):
            shown: list[Any] = next(value for value in page.values() if isinstance(value, list))
            found += [one[kind.id_key] for one in shown if one.get("State") != "deleted"]
    return found


def _pages(ec2: Any, operation: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
    if ec2.can_paginate(operation):
        return ec2.get_paginator(operation).paginate(**parameters)  # type: ignore[no-any-return]  # any client
    return [getattr(ec2, operation)(**parameters)]


def remove(ec2: EC2Client, resource_ids: Iterable[str], pace: Pace) -> dict[str, str]:
    """Remove resources and tell each; returns what could not be removed, with EC2's last reason."""
    remaining = dict.fromkeys(resource_ids, "it is still there")
    for prefix, kind in KINDS.items():
        own = [one for one in remaining if one.startswith(f"{prefix}-")]

        def attempt(kind: Kind = kind, own: list[str] = own) -> int:
            for one in [one for one in own if one in remaining]:
                if reason := _attempt(ec2, kind, one):
                    remaining[one] = reason
                else:
                    del remaining[one]
            return sum(one in remaining for one in own)

        pace.see(attempt, 0, kind.patience_seconds)
    return remaining


def remove_run(ec2: EC2Client, run_id: str, known: Iterable[str], pace: Pace) -> bool:
    """Remove all that a run created: what is known, and a little later what still shows its tag.

    Of a creation whose answer was lost nothing is known but the tag, which EC2 may show late. What cannot be
    removed is told with the command that does it. Returns whether all is gone.
    """
    remaining = remove(ec2, known, pace)
    pace.sleep(STALE_SECONDS)
    looked = False
    try:
        remaining |= dict.fromkeys(find(ec2, run_id), "")
        looked = True
    except (BotoCoreError, ClientError) as error:
        tell(f"COULD NOT LOOK for what else carries the tag {TAG} = {run_id}: {error}")
    remaining = remove(ec2, remaining, pace)
    for one, reason in remaining.items():
        tell(f"COULD NOT REMOVE {name(one)}: {reason}")
        tell(f"  aws ec2 {_kind(one).command} {one} --region {ec2.meta.region_name}")
    return looked and not remaining


def _attempt(ec2: EC2Client, kind: Kind, one: str) -> str:
    """Return why it is not gone yet; nothing when it is."""
    try:
        if not kind.remove(ec2, one):
            return "EC2 is still deleting it"
        tell(f"  removed {name(one)}")
    except ClientError as error:
        return "" if error.response["Error"]["Code"] == kind.not_found else str(error)
    except BotoCoreError as error:
        return str(error)
    return ""
