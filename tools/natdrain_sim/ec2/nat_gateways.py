"""The backend operations on NAT gateways. `install` puts these methods in place of moto's.

Rules from the EC2 API reference: CreateNatGateway, AssociateNatGatewayAddress, DisassociateNatGatewayAddress.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import cast

from moto.ec2.exceptions import (
    InvalidParameter,
    InvalidParameterValue,
    MissingParameterError,
    ResourceAlreadyAssociatedError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway
from moto.ec2.utils import generic_filter

from .errors import AddressesPerGatewayExceededError, NatGatewayMalformedError, NatGatewayNotFoundError
from .models import NatGateway, NatGatewayAddress
from .settings import settings_of
from .timeline import now

MAX_ADDRESSES = 8
DRAIN_LIMITS = range(1, 4001)
_GATEWAY_ID = re.compile(r"nat-([0-9a-f]{8}|[0-9a-f]{17})")


def all_gateways(backend: EC2Backend) -> list[NatGateway]:
    """Return every gateway there ever was, in the order of creation."""
    return [cast("NatGateway", gateway) for gateway in backend.nat_gateways.values()]


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


def holder(backend: EC2Backend, eip: ElasticAddress, at: datetime) -> NatGatewayAddress | None:
    """Return the NAT gateway address that holds an EIP at an instant, if any."""
    addresses = (address for gateway in all_gateways(backend) for address in gateway.held_at(at))
    return next((one for one in addresses if one.allocation_id == eip.allocation_id), None)


class NatGatewayBackend(EC2Backend):
    """Methods for moto's `NatGatewayBackend`; a subclass of the whole backend only to be typed.

    What EC2 refuses raises an `EC2ClientError` with EC2's code, and changes nothing.
    """

    def create_nat_gateway(
        self,
        subnet_id: str,
        allocation_id: str | None,
        tags: dict[str, str] | None = None,
        connectivity_type: str = "public",
        *,
        secondary_allocation_ids: Sequence[str] = (),
        gateway_id: str | None = None,
        association_ids: Sequence[str | None] = (),
        private_ips: Sequence[str | None] = (),
        created_at: datetime | None = None,
    ) -> NatGateway:
        """Create a zonal gateway. Private IPs and association ids begin with the primary one.

        Whatever is not given, or `None`, is generated; with `created_at` it has been there since then.
        """
        if connectivity_type == "public" and not allocation_id:
            raise MissingParameterError("AllocationId")
        allocation_ids = [allocation_id, *secondary_allocation_ids] if allocation_id else []
        eips = _free_eips(self, allocation_ids, held=0)
        since = created_at or now()
        gateway = NatGateway(  # type: ignore[abstract]  # moto leaves CloudFormation's methods undefined
            self,
            subnet_id,
            connectivity_type=connectivity_type,
            created_at=since,
            gateway_id=gateway_id,
        )
        ready = since + timedelta(seconds=settings_of(self).lags.create_gateway)
        gateway.states.change(since, "pending")
        gateway.states.change(ready, "available")
        for eip, association_id, private_ip in zip_longest(eips, association_ids, private_ips or [None]):
            gateway.add(eip, since=since, ready=ready, association_id=association_id, private_ip=private_ip)
        self.nat_gateways[gateway.id] = gateway
        gateway.add_tags(tags or {})
        return gateway

    def delete_nat_gateway(self, nat_gateway_id: str) -> NatGateway:
        """Delete a gateway, whatever its addresses do; deleting it again changes nothing."""
        gateway = find_gateway(self, nat_gateway_id)
        if gateway.deleted_at is None:
            gateway.delete()
        return gateway

    def associate_nat_gateway_address(
        self, nat_gateway_id: str, allocation_ids: Sequence[str]
    ) -> list[NatGatewayAddress]:
        """Add EIPs to a public gateway and return their new addresses, `associating`."""
        gateway = find_gateway(self, nat_gateway_id)
        gateway.require_idle()
        if not allocation_ids:
            raise MissingParameterError("AllocationId")
        eips = _free_eips(self, allocation_ids, held=len(gateway.held_at(now())))
        ready = now() + timedelta(seconds=settings_of(self).lags.associate)
        return [gateway.add(eip, since=now(), ready=ready) for eip in eips]

    def disassociate_nat_gateway_address(
        self, nat_gateway_id: str, association_ids: Sequence[str], limit_seconds: int
    ) -> list[NatGatewayAddress]:
        """Begin to drain secondary EIPs of a public gateway and return their addresses."""
        gateway = find_gateway(self, nat_gateway_id)
        if limit_seconds not in DRAIN_LIMITS:
            raise InvalidParameterValue(
                f"Value ({limit_seconds}) for parameter maxDrainDurationSeconds is invalid."
            )
        if not association_ids:
            raise MissingParameterError("AssociationId")
        gateway.require_idle()
        held = {address.association_id: address for address in gateway.held_at(now())}
        for one in association_ids:
            if one not in held:
                raise InvalidParameter(f"The association {one} is not on the NAT gateway {gateway.id}")
            if held[one].is_primary:
                raise InvalidParameter(f"The association {one} is the primary one and cannot be removed")
        draining = [held[one] for one in association_ids]
        gateway.drain(draining, limit_seconds)
        return draining

    def describe_nat_gateways(
        self, filters: dict[str, list[str]] | None, nat_gateway_ids: list[str] | None
    ) -> list[MotoNatGateway]:
        """Return the gateways that DescribeNatGateways shows now, in the order of their creation."""
        gateways = [find_gateway(self, one) for one in nat_gateway_ids or ()] or all_gateways(self)
        return generic_filter(filters or {}, [gateway for gateway in gateways if gateway.state])


def _free_eips(backend: EC2Backend, allocation_ids: Sequence[str], *, held: int) -> list[ElasticAddress]:
    """Return EIPs that nothing uses, in the order of their ids, for a gateway that holds so many already.

    (Of one that something uses EC2 tells a new gateway later, by making it `failed`.)
    """
    if held + len(allocation_ids) > MAX_ADDRESSES:
        raise AddressesPerGatewayExceededError(MAX_ADDRESSES)
    eips = [backend.address_by_allocation([one])[0] for one in allocation_ids]
    for eip in eips:
        if eip.association_id or holder(backend, eip, now()):
            raise ResourceAlreadyAssociatedError(str(eip.allocation_id))
    return eips
