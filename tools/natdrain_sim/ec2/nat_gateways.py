"""The backend operations on NAT gateways. `install` puts these methods in place of moto's.

Rules from the EC2 API reference: CreateNatGateway, AssociateNatGatewayAddress, DisassociateNatGatewayAddress.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from moto.ec2.exceptions import InvalidParameter, InvalidParameterValue, MissingParameterError
from moto.ec2.models import EC2Backend
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway

from .addresses import NatGatewayAddress
from .errors import AddressesPerGatewayExceededError
from .filters import matches, require_known
from .lookups import all_gateways, find_gateway, free_eips, private_ips, require_distinct, seen_at
from .models import NatGateway
from .settings import settings_of
from .timeline import now

MAX_ADDRESSES = 8
DRAIN_LIMITS = range(1, 4001)


class NatGatewayBackend(EC2Backend):
    """Methods for moto's `NatGatewayBackend`; a subclass of the whole backend only to be typed."""

    def create_nat_gateway(
        self,
        subnet_id: str,
        allocation_id: str | None,
        tags: dict[str, str] | None = None,
        connectivity_type: str = "public",
        *,
        secondary_allocation_ids: Sequence[str] = (),
        wanted_private_ips: Sequence[str | None] = (),
        gateway_id: str | None = None,
        association_ids: Sequence[str | None] = (),
        created_at: datetime | None = None,
    ) -> NatGateway:
        """Create a zonal gateway. Private IPs and association ids begin with the primary one.

        Whatever is not given, or `None`, is generated; with `created_at` it has been there since then.

        Raises:
            EC2ClientError: one of the refusals of CreateNatGateway; nothing was created.
        """
        allocation_ids = [*([allocation_id] if allocation_id else []), *secondary_allocation_ids]
        if connectivity_type == "public" and not allocation_id:
            raise MissingParameterError("AllocationId")
        if connectivity_type == "private" and allocation_ids:
            raise InvalidParameter("A private NAT gateway takes no Elastic IP addresses")
        if len(allocation_ids) > MAX_ADDRESSES:
            raise AddressesPerGatewayExceededError(MAX_ADDRESSES)
        eips = free_eips(self, allocation_ids)
        ips = private_ips(self, subnet_id, wanted_private_ips, len(eips) or len(wanted_private_ips) or 1)
        since = created_at or now()
        gateway = NatGateway(  # type: ignore[abstract]  # moto leaves CloudFormation's methods undefined
            self,
            subnet_id,
            ips[0],
            connectivity_type=connectivity_type,
            created_at=since,
            gateway_id=gateway_id,
        )
        ready = since + timedelta(seconds=settings_of(self).lags.create_gateway)
        gateway.states.change(since, "pending")
        gateway.states.change(ready, "available")
        for ip, eip, association_id in zip_longest(ips, eips, association_ids):
            gateway.add(ip, eip, association_id, since=since, ready=ready)
        self.nat_gateways[gateway.id] = gateway
        gateway.add_tags(tags or {})
        return gateway

    def delete_nat_gateway(self, nat_gateway_id: str) -> NatGateway:
        """Delete a gateway, whatever its addresses do; deleting it again changes nothing."""
        gateway = find_gateway(self, nat_gateway_id)
        if gateway.deleted_at is None:
            gateway.delete(settings_of(self).lags)
        return gateway

    def associate_nat_gateway_address(
        self, nat_gateway_id: str, allocation_ids: Sequence[str], wanted_private_ips: Sequence[str]
    ) -> list[NatGatewayAddress]:
        """Add EIPs to a public gateway and return their new addresses, `associating`.

        Raises:
            EC2ClientError: one of the refusals of AssociateNatGatewayAddress; nothing was changed.
        """
        gateway = find_gateway(self, nat_gateway_id)
        gateway.require_idle()
        if not allocation_ids:
            raise MissingParameterError("AllocationId")
        if len(gateway.held_at(now())) + len(allocation_ids) > MAX_ADDRESSES:
            raise AddressesPerGatewayExceededError(MAX_ADDRESSES)
        eips = free_eips(self, allocation_ids)
        ips = private_ips(self, gateway.subnet_id, wanted_private_ips, len(eips))
        ready = now() + timedelta(seconds=settings_of(self).lags.associate)
        return [
            gateway.add(ip, eip, None, since=now(), ready=ready) for ip, eip in zip(ips, eips, strict=True)
        ]

    def disassociate_nat_gateway_address(
        self, nat_gateway_id: str, association_ids: Sequence[str], limit_seconds: int
    ) -> list[NatGatewayAddress]:
        """Begin to drain secondary EIPs of a public gateway and return their addresses.

        Raises:
            EC2ClientError: one of the refusals of DisassociateNatGatewayAddress; nothing was changed.
        """
        gateway = find_gateway(self, nat_gateway_id)
        if limit_seconds not in DRAIN_LIMITS:
            raise InvalidParameterValue(
                f"Value ({limit_seconds}) for parameter maxDrainDurationSeconds is invalid. "
                f"It must be between {DRAIN_LIMITS[0]} and {DRAIN_LIMITS[-1]}."
            )
        if not association_ids:
            raise MissingParameterError("AssociationId")
        require_distinct("AssociationIds", association_ids)
        gateway.require_idle()
        held = {address.association_id: address for address in gateway.held_at(now())}
        for one in association_ids:
            if one not in held:
                raise InvalidParameter(f"The association {one} is not on the NAT gateway {gateway.id}")
            if held[one].is_primary:
                raise InvalidParameter(f"The association {one} is the primary one and cannot be removed")
        draining = [held[one] for one in association_ids]
        settings = settings_of(self)
        gateway.drain(draining, limit_seconds, settings.lags, settings.delays)
        return draining

    def describe_nat_gateways(
        self, filters: dict[str, list[str]] | None, nat_gateway_ids: list[str] | None
    ) -> list[MotoNatGateway]:
        """Return the gateways that DescribeNatGateways shows now, in the order of their creation.

        Raises:
            NatGatewayNotFoundError: an id was given that is not there.
            InvalidParameterValue: a filter EC2 does not know.
        """
        require_known(filters or {})
        gateways = [find_gateway(self, one) for one in nat_gateway_ids or ()] or all_gateways(self)
        return [
            gateway
            for gateway in gateways
            if gateway.states.at(seen_at(self, gateway)) is not None
            and all(matches(gateway, seen_at(self, gateway), *item) for item in (filters or {}).items())
        ]
