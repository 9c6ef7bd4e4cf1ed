"""The backend operations on NAT gateways. `install` puts these methods in place of moto's.

Rules from the EC2 API reference: CreateNatGateway, AssociateNatGatewayAddress, DisassociateNatGatewayAddress.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
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

from .addresses import NatGatewayAddress
from .errors import NatGatewayMalformedError, NatGatewayNotFoundError
from .models import NatGateway
from .settings import settings_of
from .timeline import now

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
    ) -> NatGateway:
        """Create a zonal gateway with at most one EIP, which is all that moto itself asks for."""
        gateway = NatGateway(self, self.get_subnet(subnet_id), connectivity_type=connectivity_type)
        return self.set_up_nat_gateway(gateway, {allocation_id: None} if allocation_id else {}, tags)

    def set_up_nat_gateway(
        self,
        gateway: NatGateway,
        zones: Mapping[str, str | None],
        tags: dict[str, str] | None = None,
        private_ips: Sequence[str | None] = (),
    ) -> NatGateway:
        """Give a new gateway its EIPs, the primary one first, each with the zone that it serves, if any.

        Private IPs go with them in order; `None` is generated.
        """
        eips, served = _free_eips(self, zones), list(zones.values())
        if not zones:
            eips, served = gateway.own_addresses()
        since, lag = gateway.created_at, settings_of(self).lags.create_gateway
        gateway.states.change(since, "pending")
        gateway.states.change(since + timedelta(seconds=lag), "available")
        gateway.add(eips, served, since=since, lag_seconds=lag, private_ips=private_ips)
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
        self, nat_gateway_id: str, allocation_ids: Sequence[str], zone: str | None = None
    ) -> list[NatGatewayAddress]:
        """Add EIPs to a public gateway, or a zone of it, and return their new addresses, `associating`."""
        gateway = find_gateway(self, nat_gateway_id)
        gateway.require_idle()
        if not allocation_ids:
            raise MissingParameterError("AllocationId")
        eips, lag = _free_eips(self, allocation_ids), settings_of(self).lags.associate
        return gateway.add(eips, [zone for _ in eips], since=now(), lag_seconds=lag)

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


def _free_eips(backend: EC2Backend, allocation_ids: Iterable[str]) -> list[ElasticAddress | None]:
    """Return EIPs that nothing uses, in the order of their ids.

    (Of one that something uses EC2 tells a new gateway later, by making it `failed`.)
    """
    eips: list[ElasticAddress | None] = []
    for eip in (backend.address_by_allocation([one])[0] for one in allocation_ids):
        if eip.association_id or holder(backend, eip, now()):
            raise ResourceAlreadyAssociatedError(str(eip.allocation_id))
        eips.append(eip)
    return eips
