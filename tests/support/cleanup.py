"""Cleaning up of what runs of `verify-aws` created, found by its tag and by nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from support.account import DELETED_SECONDS, TAG
from support.real_account import STALE_SECONDS, Pace

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

GONE_SECONDS = 180
"""The time for which EC2 may refuse because of something already gone. ReleaseAddress was seen to do so with
InvalidIPAddress.InUse, as AuthFailure (kubernetes/kops issue 938) and as InvalidNetworkInterfaceID.NotFound
(hashicorp/terraform-provider-aws issue 49299), so no code is taken as final."""


def tell(text: str) -> None:
    """Print a line at once."""
    with suppress(OSError):  # a closed pipe must not stop the cleaning up
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


@dataclass(frozen=True)
class Kind:
    """A kind of resource, with the calls that find and remove it."""

    name: str
    plural: str
    """The name in Describe calls, such as `nat_gateways`."""
    id_key: str
    removal: str
    """The name of boto3's method, such as `delete_nat_gateway`."""
    not_found: str
    patience_seconds: int = GONE_SECONDS


# In the order of removal: each depends on those after it.
KINDS = {
    "nat": Kind(
        "NAT gateway",
        "nat_gateways",
        "NatGatewayId",
        "delete_nat_gateway",
        "NatGatewayNotFound",
        DELETED_SECONDS,
    ),
    "eipalloc": Kind(
        "Elastic IP", "addresses", "AllocationId", "release_address", "InvalidAllocationID.NotFound"
    ),
    "igw": Kind(
        "internet gateway",
        "internet_gateways",
        "InternetGatewayId",
        "delete_internet_gateway",
        "InvalidInternetGatewayID.NotFound",
    ),
    "subnet": Kind("subnet", "subnets", "SubnetId", "delete_subnet", "InvalidSubnetID.NotFound"),
    "vpc": Kind("VPC", "vpcs", "VpcId", "delete_vpc", "InvalidVpcID.NotFound"),
}


def name(resource_id: str) -> str:
    """Name a resource as people do."""
    return f"{_kind(resource_id).name} {resource_id}"


def _kind(resource_id: str) -> Kind:
    return KINDS[resource_id.partition("-")[0]]


def find(ec2: EC2Client, run_id: str = "*") -> list[str]:
    """Return the id of everything that carries the tag of this run, or of any run."""
    found: list[str] = []
    for kind in KINDS.values():
        filters = "Filter" if kind.plural == "nat_gateways" else "Filters"
        parameters = {filters: [{"Name": f"tag:{TAG}", "Values": [run_id]}]}
        for page in _pages(ec2, f"describe_{kind.plural}", parameters):
            shown: list[Any] = next(value for value in page.values() if isinstance(value, list))
            found += [one[kind.id_key] for one in shown if one.get("State") != "deleted"]
    return found


def _pages(ec2: Any, operation: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
    if ec2.can_paginate(operation):
        return ec2.get_paginator(operation).paginate(**parameters)  # type: ignore[no-any-return]  # any client
    return [getattr(ec2, operation)(**parameters)]


def remove(ec2: EC2Client, resource_ids: Iterable[str], pace: Pace) -> dict[str, str]:
    """Remove resources and print each; return what could not be removed, with EC2's last reason."""
    remaining = dict.fromkeys(resource_ids, "it is still there")

    def attempt(prefix: str) -> int:
        own = [one for one in remaining if one.startswith(f"{prefix}-")]
        for one in own:
            if reason := _why_not_gone(ec2, one):
                remaining[one] = reason
            else:
                del remaining[one]
        return sum(one in remaining for one in own)

    for prefix, kind in KINDS.items():
        pace.see(partial(attempt, prefix), 0, kind.patience_seconds)
    return remaining


def remove_run(ec2: EC2Client, run_id: str, known: Iterable[str], pace: Pace) -> bool:
    """Remove all that a run created, both known resources and those whose tag appears later.

    If the answer to a creation was lost, only the tag is known, and EC2 may show it late. For each resource
    that is left, the command that removes it is printed. Returns whether all is gone.
    """
    pace.sleep(STALE_SECONDS)
    found, looked = [], False
    try:
        found, looked = find(ec2, run_id), True
    except (BotoCoreError, ClientError) as error:
        tell(f"COULD NOT LOOK for what else carries the tag {TAG} = {run_id}: {error}")
    remaining = remove(ec2, [*known, *found], pace)
    for one, reason in remaining.items():
        kind = _kind(one)
        command = f"{kind.removal.replace('_', '-')} --{xform_name(kind.id_key, '-')} {one}"
        tell(f"COULD NOT REMOVE {name(one)}: {reason}")
        tell(f"  aws ec2 {command} --region {ec2.meta.region_name}")
    return looked and not remaining


def _why_not_gone(ec2: EC2Client, one: str) -> str:
    """Begin or continue to remove it; return EC2's reason if it is still there."""
    kind = _kind(one)
    try:
        if not _removed(ec2, kind, one):
            return "EC2 is still deleting it"
        tell(f"  removed {name(one)}")
    except ClientError as error:
        return "" if error.response["Error"]["Code"] == kind.not_found else str(error)
    except BotoCoreError as error:
        return str(error)
    return ""


def _removed(ec2: EC2Client, kind: Kind, one: str) -> bool:
    if kind is KINDS["nat"]:
        [gateway] = ec2.describe_nat_gateways(NatGatewayIds=[one])["NatGateways"]
        if gateway["State"] in {"deleting", "deleted"}:
            return gateway["State"] == "deleted"
    if kind is KINDS["igw"]:
        [igw] = ec2.describe_internet_gateways(InternetGatewayIds=[one])["InternetGateways"]
        for attachment in igw["Attachments"]:
            ec2.detach_internet_gateway(InternetGatewayId=one, VpcId=attachment["VpcId"])
    getattr(ec2, kind.removal)(**{kind.id_key: one})
    return kind is not KINDS["nat"]
