"""Questions to a moto backend about NAT gateways, EIPs and private addresses."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_network
from itertools import islice
from typing import cast

from moto.ec2.exceptions import InvalidParameterValue, ResourceAlreadyAssociatedError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress

from .addresses import NatGatewayAddress
from .errors import (
    InsufficientFreeAddressesError,
    InvalidIPAddressInUseError,
    NatGatewayMalformedError,
    NatGatewayNotFoundError,
)
from .models import NatGateway
from .settings import settings_of
from .timeline import now

_RESERVED = 4  # AWS keeps the first four addresses of a subnet
_GATEWAY_ID = re.compile(r"nat-([0-9a-f]{8}|[0-9a-f]{17})")


def all_gateways(backend: EC2Backend) -> list[NatGateway]:
    """Return every gateway there ever was, in the order of creation."""
    return [cast("NatGateway", gateway) for gateway in backend.nat_gateways.values()]


def holder(backend: EC2Backend, allocation_id: str | None, at: datetime) -> NatGatewayAddress | None:
    """Return the NAT gateway address that holds an EIP at an instant, if any."""
    addresses = (address for gateway in all_gateways(backend) for address in gateway.held_at(at))
    return next((one for one in addresses if allocation_id and one.allocation_id == allocation_id), None)


def find_gateway(backend: EC2Backend, gateway_id: str) -> NatGateway:
    """Return the gateway that is there now, perhaps as `deleted`.

    Raises:
        NatGatewayMalformedError: the id does not look like one.
        NatGatewayNotFoundError: there is no such gateway, or no longer.
    """
    if not _GATEWAY_ID.fullmatch(gateway_id):
        raise NatGatewayMalformedError(gateway_id)
    gateway = cast("NatGateway | None", backend.nat_gateways.get(gateway_id))
    if gateway is None or gateway.states.at(now()) is None:
        raise NatGatewayNotFoundError(gateway_id)
    return gateway


def seen_at(backend: EC2Backend, gateway: NatGateway) -> datetime:
    """Return the instant as of which DescribeNatGateways shows a gateway now."""
    lag = timedelta(seconds=settings_of(backend).lags.describe_nat_gateways)
    return max(now() - lag, gateway.created_at)


def free_eips(backend: EC2Backend, allocation_ids: Sequence[str]) -> list[ElasticAddress]:
    """Return EIPs that nothing uses, in the order of their ids.

    Raises:
        InvalidParameterValue: an id is there twice.
        InvalidAllocationIdError: no such allocation.
        ResourceAlreadyAssociatedError: something uses one. (For a new gateway EC2 says so later, by making
            the gateway `failed`.)
    """
    require_distinct("AllocationIds", allocation_ids)
    eips = [backend.address_by_allocation([one])[0] for one in allocation_ids]
    for eip in eips:
        if eip.association_id or holder(backend, eip.allocation_id, now()):
            raise ResourceAlreadyAssociatedError(str(eip.allocation_id))
    return eips


def private_ips(backend: EC2Backend, subnet_id: str, wanted: Sequence[str | None], count: int) -> list[str]:
    """Return `count` private addresses of a subnet: first the wanted ones, and free ones for the rest.

    Raises:
        InvalidParameterValue: more are wanted than counted.
        InvalidIPAddressInUseError: a wanted one is taken.
        InsufficientFreeAddressesError: the subnet is full.
    """
    if len(wanted) > count:
        raise InvalidParameterValue("There are more private IP addresses than Elastic IP addresses")
    taken = {eni.private_ip_address for eni in backend.enis.values() if eni.subnet.id == subnet_id}
    gateways = [gateway for gateway in all_gateways(backend) if gateway.subnet_id == subnet_id]
    taken |= {address.private_ip for gateway in gateways for address in gateway.held_at(now())}
    for ip in filter(None, wanted):
        if ip in taken:
            raise InvalidIPAddressInUseError(ip)
        taken.add(ip)
    hosts = islice(ip_network(backend.get_subnet(subnet_id).cidr_block).hosts(), _RESERVED - 1, None)
    free = (str(host) for host in hosts if str(host) not in taken)
    chosen = [ip or next(free, None) for ip in [*wanted, *[None] * (count - len(wanted))]]
    if None in chosen:
        raise InsufficientFreeAddressesError(subnet_id)
    return [ip for ip in chosen if ip]


def require_distinct(parameter: str, values: Sequence[str]) -> None:
    """Refuse a list that names something twice.

    Raises:
        InvalidParameterValue: a value is there twice.
    """
    if len(set(values)) < len(values):
        raise InvalidParameterValue(f"{parameter} names one value more than once")
