"""Backend operations on NAT gateways; `install` replaces moto's by them.

Rules: EC2 API reference, CreateNatGateway, AssociateNatGatewayAddress and DisassociateNatGatewayAddress.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from moto.ec2.exceptions import (
    InvalidAllocationIdError,
    InvalidParameter,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameterError,
)
from moto.ec2.exceptions import ResourceAlreadyAssociatedError as AlreadyAssociatedError
from moto.ec2.models import EC2Backend
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway
from moto.ec2.utils import generic_filter

from .addresses import ElasticAddress, NatGatewayAddress
from .exceptions import ec2_error
from .models import NatGateway
from .settings import settings_of
from .timeline import now

DRAIN_LIMITS = range(1, 4001)
_GATEWAY_ID = re.compile(r"nat-([0-9a-f]{8}|[0-9a-f]{17})")


def all_gateways(backend: EC2Backend) -> list[NatGateway]:
    """Return every gateway, also deleted ones, in the order of creation."""
    return [cast("NatGateway", gateway) for gateway in backend.nat_gateways.values()]


def find_gateway(backend: EC2Backend, gateway_id: str) -> NatGateway:
    """Return a gateway that exists now, or was deleted less than an hour ago."""
    if not _GATEWAY_ID.fullmatch(gateway_id):
        raise ec2_error("NatGatewayMalformed", gateway_id)
    gateway = cast("NatGateway | None", backend.nat_gateways.get(gateway_id))
    if gateway is None or gateway.states.at(now()) is None:
        raise ec2_error("NatGatewayNotFound", gateway_id)
    return gateway


def find_eip(backend: EC2Backend, allocation_id: str) -> ElasticAddress:
    """Return an EIP, also one that DescribeAddresses does not show yet."""
    return cast("ElasticAddress", backend.address_by_allocation([allocation_id])[0])


def address_of(backend: EC2Backend, allocation_id: str | None, at: datetime) -> NatGatewayAddress | None:
    """Return the NAT gateway address with this EIP at an instant, or None."""
    addresses = (address for gateway in all_gateways(backend) for address in gateway.held_at(at))
    return next((one for one in addresses if one.allocation_id == allocation_id), None)


class NatGatewayBackend(EC2Backend):
    """Methods for moto's `NatGatewayBackend`, typed as methods of the whole backend.

    A request that EC2 refuses raises an `EC2ClientError` with EC2's code and changes nothing.
    """

    def create_nat_gateway(
        self,
        subnet_id: str,
        allocation_id: str | None,
        tags: dict[str, str] | None = None,
        connectivity_type: str = "public",
    ) -> NatGateway:
        """Create a zonal gateway with at most one EIP, for moto's own callers."""
        gateway = NatGateway(self, self.get_subnet(subnet_id), connectivity_type=connectivity_type)
        return self.set_up_nat_gateway(gateway, {allocation_id: None} if allocation_id else {}, tags)

    def set_up_nat_gateway(
        self,
        gateway: NatGateway,
        zones: Mapping[str, str | None],
        tags: dict[str, str] | None = None,
        private_ips: Sequence[str | None] = (),
    ) -> NatGateway:
        """Register a new gateway with its EIPs, the primary first, mapped to the zones that they serve.

        The private IPs are in the same order; `None` is generated.
        """
        eips, served = _free_eips(gateway, zones), list(zones.values())
        if not zones:
            eips, served = gateway.default_addresses()
        since, lag = gateway.created_at, settings_of(self).lags.create_gateway
        gateway.states.change(since, "pending")
        gateway.states.change(since + timedelta(seconds=lag), "available")
        gateway.add(eips, served, since=since, lag_seconds=lag, private_ips=private_ips)
        self.nat_gateways[gateway.id] = gateway
        gateway.add_tags(tags or {})
        return gateway

    def delete_nat_gateway(self, nat_gateway_id: str) -> NatGateway:
        """Delete a gateway, even during a drain; deleting it again changes nothing."""
        gateway = find_gateway(self, nat_gateway_id)
        if gateway.deleted_at is None:
            gateway.delete()
        return gateway

    def associate_nat_gateway_address(
        self,
        nat_gateway_id: str,
        allocation_ids: Sequence[str],
        zone: str | None = None,
        private_ips: Sequence[str] = (),
    ) -> list[NatGatewayAddress]:
        """Add EIPs to a public gateway, or to a zone of it, and return their `associating` addresses.

        The codes for an EIP given twice and for another number of private IPs are inferred.
        """
        gateway = find_gateway(self, nat_gateway_id)
        gateway.require_idle()
        if not allocation_ids:
            raise MissingParameterError("AllocationId")
        if len(set(allocation_ids)) < len(allocation_ids):
            raise InvalidParameterValue("An allocation id is given twice")
        if private_ips and len(private_ips) != len(allocation_ids):
            raise InvalidParameterCombination("One private IP address is needed for each allocation id")
        for allocation_id in allocation_ids:
            if not find_eip(self, allocation_id).is_known:
                raise InvalidAllocationIdError(allocation_id)
        eips = _free_eips(gateway, allocation_ids)
        lag = gateway.association_seconds(zone)
        return gateway.add(eips, [zone] * len(eips), since=now(), lag_seconds=lag, private_ips=private_ips)

    def disassociate_nat_gateway_address(
        self, nat_gateway_id: str, association_ids: Sequence[str], limit_seconds: int
    ) -> list[NatGatewayAddress]:
        """Begin to drain secondary EIPs of a public gateway and return their addresses."""
        gateway = find_gateway(self, nat_gateway_id)
        if limit_seconds not in DRAIN_LIMITS:
            text = f"Value ({limit_seconds}) for parameter maxDrainDurationSeconds is invalid."
            raise InvalidParameterValue(text)
        if not association_ids:
            raise MissingParameterError("AssociationId")
        gateway.require_idle()
        held = {address.association_at(now()): address for address in gateway.held_at(now())}
        for association_id in association_ids:
            if association_id not in held:
                raise InvalidParameter(f"The NAT gateway {gateway.id} has no association {association_id}")
            if held[association_id].is_primary:
                raise InvalidParameter(f"The association {association_id} is primary and cannot be removed")
        draining = [held[association_id] for association_id in association_ids]
        gateway.drain(draining, limit_seconds)
        return draining

    def describe_nat_gateways(
        self, filters: dict[str, list[str]] | None, nat_gateway_ids: list[str] | None
    ) -> list[MotoNatGateway]:
        """Return the gateways that DescribeNatGateways shows now, in the order of their creation."""
        gateways = [find_gateway(self, each) for each in nat_gateway_ids or ()] or all_gateways(self)
        return generic_filter(filters or {}, [gateway for gateway in gateways if gateway.state])


def _free_eips(gateway: NatGateway, allocation_ids: Iterable[str]) -> list[ElasticAddress | None]:
    """Return EIPs that the gateway can have; the codes for those of other groups and services are inferred.

    On EC2 CreateNatGateway accepts a used one, and the gateway becomes `failed`.
    """
    backend = gateway.ec2_backend
    eips: list[ElasticAddress | None] = []
    for eip in (find_eip(backend, each) for each in allocation_ids):
        if eip.association_id or address_of(backend, eip.allocation_id, now()):
            raise AlreadyAssociatedError(str(eip.allocation_id))
        if eip.service_managed:
            raise ec2_error("OperationNotPermitted", eip.allocation_id, eip.service_managed)
        if eip.network_border_group != gateway.border_group:
            text = f"{eip.allocation_id} is in {eip.network_border_group}, not in {gateway.border_group}"
            raise InvalidParameterCombination(text)
        eips.append(eip)
    return eips
