"""The private IPs of a subnet that NAT gateways take, and give back when their addresses have left."""

from collections.abc import Sequence
from typing import Any

from moto.ec2.exceptions import InvalidParameterValue
from moto.ec2.models.subnets import Subnet

from .exceptions import ec2_error
from .timeline import now


def choose_ips(subnet: Subnet, wanted: Sequence[str | None]) -> list[str]:
    """Return free private IPs of a subnet, those wanted and for `None` the lowest; take none.

    AWS reserves the first four and the last (VPC user guide, "Subnet sizing").
    """
    taken = _taken(subnet) | {str(subnet.cidr[number]) for number in (0, 1, 2, 3, -1)}
    for ip in filter(None, wanted):
        if ip in taken or ip not in map(str, subnet.cidr):  # the code is inferred
            raise InvalidParameterValue(f"{ip} is not a free address of the subnet {subnet.id}")
        taken.add(ip)
    free = (ip for ip in map(str, subnet.cidr) if ip not in taken)
    chosen = [ip or next(free, "") for ip in wanted]
    if "" in chosen:
        raise ec2_error("InsufficientFreeAddressesInSubnet")
    return chosen


def _taken(subnet: Subnet) -> set[str]:
    """Return the IPs in use, without those of addresses that have left."""
    owners: dict[str, Any] = subnet._subnet_ips  # noqa: SLF001 - moto's record of them
    for ip, owner in list(owners.items()):
        if hasattr(owner, "held_at") and ip not in {one.private_ip for one in owner.held_at(now())}:
            subnet.del_subnet_ip(ip)
    return set(owners)
