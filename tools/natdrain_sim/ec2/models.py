"""A NAT gateway, whose states over time are kept in timelines."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidParameter, MissingParameterError
from moto.ec2.models.availability_zones_and_regions import Zone
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import random_eip_association_id, random_nat_gateway_id

from .addresses import ElasticAddress, NatGatewayAddress
from .exceptions import ec2_error
from .settings import DEFAULT_EIPS_PER_NAT_GATEWAY, settings_of
from .subnets import choose_ips
from .timeline import Timeline, now
from .traffic import Traffic

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

VISIBLE_WHEN_DELETED = timedelta(hours=1)
FAILED_LEAVES_AFTER = timedelta(seconds=3)
"""The time in which an address leaves whose association failed: it has no connections (inferred)."""
_Base: Any = MotoNatGateway


class NatGateway(_Base):  # type: ignore[misc]  # moto's leaves CloudFormation's methods abstract
    """A zonal NAT gateway, at first without addresses; it replaces moto's class of the same name."""

    automatic = False
    """AWS manages the addresses."""

    def __init__(  # does not call moto's constructor, which would associate the EIP at once
        self,
        backend: "EC2Backend",
        subnet: Subnet,
        *,
        connectivity_type: str = "public",
        created_at: datetime | None = None,
        gateway_id: str | None = None,
    ) -> None:
        self.ec2_backend = backend
        self.id = self.nat_gateway_id = gateway_id or random_nat_gateway_id()
        self._subnet: Any = subnet
        self.subnet_id, self.vpc_id = subnet.id, subnet.vpc_id
        self.connectivity_type = connectivity_type
        self.created_at = created_at or now()
        self.deleted_at: datetime | None = None
        self.border_group = str(backend.region_name)
        """That of the zone: moto has no zones in other groups, and only `Simulation` can change it."""
        self.addresses: list[NatGatewayAddress] = []
        self.states = Timeline()
        self.traffic = Traffic(self._in_service_at)

    @property
    def seen_at(self) -> datetime:
        """Return the instant as of which DescribeNatGateways shows the gateway now."""
        lag = timedelta(seconds=settings_of(self.ec2_backend).lags.describe_nat_gateways)
        return max(now() - lag, self.created_at)

    @property
    def state(self) -> str | None:  # moto's filters read it
        """Return the state that DescribeNatGateways shows now; `None` if it does not show the gateway."""
        return self.states.at(self.seen_at)

    @property
    def max_addresses(self) -> int:
        """Return how many addresses the gateway, or each of its zones, can have."""
        return settings_of(self.ec2_backend).eips_per_nat_gateway or DEFAULT_EIPS_PER_NAT_GATEWAY

    def association_seconds(self, zone: str | None) -> float:
        """Return how long an address that serves this zone will be `associating`."""
        del zone
        return settings_of(self.ec2_backend).lags.associate

    def zone(self, wanted: str | None) -> Zone | None:
        """Return the zone that an address serves, by its name or id: none on a zonal gateway."""
        if wanted:  # API reference: for regional gateways; the code is inferred
            raise InvalidParameter(f"The NAT gateway {self.id} is zonal: no Availability Zone can be given")
        return None

    def default_addresses(self) -> tuple[list[ElasticAddress | None], list[str | None]]:
        """Return the EIPs of a gateway for which none are given, and their zones; `None` is a private IP."""
        if self.connectivity_type == "public":
            raise MissingParameterError("AllocationId")
        return [None], [None]

    def add(
        self,
        eips: Sequence[ElasticAddress | None],
        zones: Sequence[str | None],
        *,
        since: datetime,
        lag_seconds: float,
        private_ips: Sequence[str | None] = (),
    ) -> list[NatGatewayAddress]:
        """Add addresses that serve these zones and are `associating` for the lag; all of them or none."""
        served = [self.zone(zone) for zone in zones]
        count = Counter([address.zone for address in self.held_at(now())] + served)
        if max(count.values(), default=0) > self.max_addresses:
            raise ec2_error("PrivateIpAddressLimitExceeded", self.max_addresses)
        ips = choose_ips(self._subnet, [*private_ips, *[None] * len(eips)][: len(eips)])
        before = len(self.addresses)
        for eip, zone, ip in zip(eips, served, ips, strict=True):
            address = self._new_address(eip, zone, ip)
            address.join(since, timedelta(seconds=lag_seconds))
            self.addresses.append(address)
        return self.addresses[before:]

    def _new_address(
        self, eip: ElasticAddress | None, zone: Zone | None, private_ip: str
    ) -> NatGatewayAddress:
        self._subnet.request_ip(private_ip, self)
        if not self.addresses:
            self._eni = self.ec2_backend.create_network_interface(self._subnet, private_ip)
        address = NatGatewayAddress(
            private_ip=private_ip,
            network_interface_id=self._eni.id,
            is_primary=None if zone else not self.addresses,
            zone=zone,
        )
        if eip:
            address.allocation_id, address.public_ip = eip.allocation_id, eip.public_ip
            address.association_id = random_eip_association_id()
            address.association_failure, eip.next_failure = eip.next_failure, None
        return address

    def held_at(self, instant: datetime) -> list[NatGatewayAddress]:
        """Return the addresses that the gateway has at `instant`, with any status."""
        return [address for address in self.addresses if address.status.at(instant)]

    def require_idle(self) -> None:
        """Refuse a change of the addresses unless it is allowed now; `InvalidParameter` is inferred."""
        if self.connectivity_type != "public":
            raise InvalidParameter(f"The NAT gateway {self.id} is private and has no Elastic IP addresses")
        if self.automatic:
            raise InvalidParameter(f"AWS manages the Elastic IP addresses of the NAT gateway {self.id}")
        if (state := self.states.at(now())) != "available":
            raise InvalidParameter(f"The NAT gateway {self.id} is {state}, not available")
        for status in ("associating", "disassociating"):
            busy = [str(a.allocation_id) for a in self.addresses if a.status.at(now()) == status]
            if busy:
                raise ec2_error("OperationInProgress", status.upper(), ", ".join(busy))

    def drain(self, addresses: Sequence[NatGatewayAddress], limit_seconds: int) -> None:
        """Take addresses out of service now; they leave, or fail, after the lags."""
        settings = settings_of(self.ec2_backend)
        limit_at = now() + timedelta(seconds=limit_seconds)
        for address in addresses:
            idle_at = self.traffic.cut_off(now(), str(address.association_id), limit_at)
            lag = settings.random.uniform(*settings.lags.leave_after_limit)
            leaves_at = limit_at + timedelta(seconds=lag)
            if settings.lags.leave_when_idle and idle_at <= limit_at:
                leaves_at = idle_at
            if not address.status.ever("succeeded"):
                leaves_at = now() + FAILED_LEAVES_AFTER
            address.status.change(now(), "disassociating")
            address.end_drain(leaves_at)

    def delete(self) -> None:
        """Delete the gateway: its connections are cut now, its addresses leave when it is `deleted`."""
        lag = settings_of(self.ec2_backend).lags.delete_gateway
        self.deleted_at = now() + timedelta(seconds=lag)
        for address in self.held_at(now()):
            self.traffic.cut_off(now(), str(address.association_id), now())
            address.status.change(self.deleted_at, None)
        self.states.change(now(), "deleting")
        self.states.change(self.deleted_at, "deleted")
        self.states.change(self.deleted_at + VISIBLE_WHEN_DELETED, None)

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGateway` as of `at`."""
        state = self.states.at(at)
        return {
            "CreateTime": self.created_at,
            "DeleteTime": self.deleted_at if state in ("deleting", "deleted") else None,
            "NatGatewayAddresses": [self._shown(address.to_dict(at)) for address in self.held_at(at)],
            "NatGatewayId": self.id,
            "State": state,
            "SubnetId": self.subnet_id or None,
            "VpcId": self.vpc_id,
            "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in self.get_tags()],
            "ConnectivityType": self.connectivity_type,
            "AvailabilityMode": "zonal",
        }

    def _shown(self, address: dict[str, Any]) -> dict[str, Any]:
        if (
            address["Status"] == "disassociating"
            and not settings_of(self.ec2_backend).lags.draining_association
        ):
            return address | {"AssociationId": None}
        return address

    def _in_service_at(self, instant: datetime) -> list[str]:
        if self.states.at(instant) != "available":
            return []
        serving = (address for address in self.addresses if address.status.at(instant) == "succeeded")
        return [address.association_id for address in serving if address.association_id]
