"""The state of a NAT gateway. What it shows is a timeline that the clock is read against."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidParameter
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway
from moto.ec2.utils import random_eip_association_id, random_nat_gateway_id

from .addresses import NatGatewayAddress
from .errors import OperationInProgressError
from .settings import Lags
from .timeline import Timeline, now
from .traffic import Traffic

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend

VISIBLE_WHEN_DELETED = timedelta(hours=1)
_UNDER_WAY = ("associating", "disassociating")


class NatGateway(MotoNatGateway):
    """A zonal NAT gateway. Takes the place of moto's class of the same name."""

    def __init__(  # moto's own constructor is not called: it would associate the EIP moto's way
        self,
        backend: "EC2Backend",
        subnet_id: str,
        private_ip: str,
        *,
        connectivity_type: str,
        created_at: datetime,
        gateway_id: str | None = None,
    ) -> None:
        self.ec2_backend = backend
        self.id = gateway_id or random_nat_gateway_id()
        subnet = backend.get_subnet(subnet_id)
        self.subnet_id, self.vpc_id = subnet_id, subnet.vpc_id
        self.connectivity_type = connectivity_type
        self.created_at = created_at
        self.deleted_at: datetime | None = None
        self._eni = backend.create_network_interface(subnet, private_ip)
        self.addresses: list[NatGatewayAddress] = []
        self.states = Timeline()
        self.traffic = Traffic(self._in_service_at)

    @property
    def is_public(self) -> bool:
        """Whether the gateway has EIPs."""
        return self.connectivity_type == "public"

    def add(
        self,
        private_ip: str,
        eip: ElasticAddress | None,
        association_id: str | None,
        *,
        since: datetime,
        ready: datetime,
    ) -> NatGatewayAddress:
        """Add an address, `associating` from `since`, `succeeded` from `ready` on; the first is primary."""
        address = NatGatewayAddress(
            allocation_id=eip.allocation_id if eip else None,
            public_ip=eip.public_ip if eip else None,
            association_id=(association_id or random_eip_association_id()) if eip else None,
            private_ip=private_ip,
            network_interface_id=self._eni.id,
            is_primary=not self.addresses,
        )
        address.status.change(since, "associating")
        address.status.change(ready, "succeeded")
        self.addresses.append(address)
        return address

    def held_at(self, instant: datetime) -> list[NatGatewayAddress]:
        """Return the addresses of the gateway at `instant`."""
        return [address for address in self.addresses if address.held_at(instant)]

    def require_idle(self) -> None:
        """Refuse what cannot be done unless the gateway is public, available and no address operation runs.

        Raises:
            InvalidParameter: private or not `available` (the code is inferred, not seen).
            OperationInProgressError: an address is being associated or disassociated.
        """
        if not self.is_public:
            raise InvalidParameter(f"The NAT gateway {self.id} is private and has no Elastic IP addresses")
        if (state := self.states.at(now())) != "available":
            raise InvalidParameter(f"The NAT gateway {self.id} is {state}, not available")
        for status in _UNDER_WAY:
            busy = [a.allocation_id for a in self.addresses if a.status.at(now()) == status]
            if busy:
                raise OperationInProgressError(
                    verb=status.upper(), allocation_ids=[allocation for allocation in busy if allocation]
                )

    def drain(
        self, addresses: Sequence[NatGatewayAddress], limit_seconds: int, lags: Lags, delays: random.Random
    ) -> None:
        """Take addresses out of service now; they leave (or fail) later, as `lags` says."""
        limit_at = now() + timedelta(seconds=limit_seconds)
        for address in addresses:
            idle_at = self.traffic.cut_off(now(), str(address.association_id), limit_at)
            gone_at = limit_at + timedelta(seconds=delays.uniform(*lags.leave_after_limit))
            if lags.leave_when_idle and idle_at <= limit_at:
                gone_at = idle_at
            address.status.change(now(), "disassociating")
            address.finish(gone_at)

    def delete(self, lags: Lags) -> None:
        """Delete the gateway: its connections are cut now, its addresses go when it is `deleted`."""
        self.deleted_at = now() + timedelta(seconds=lags.delete_gateway)
        for address in self.held_at(now()):
            self.traffic.cut_off(now(), str(address.association_id), now())
            address.status.change(self.deleted_at, None)
        self.states.change(now(), "deleting")
        self.states.change(self.deleted_at, "deleted")
        self.states.change(self.deleted_at + VISIBLE_WHEN_DELETED, None)

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGateway` as it is at `at`."""
        state = self.states.at(at)
        tags: dict[str, str] = self.ec2_backend.tags.get(self.id, {})
        return {
            "CreateTime": self.created_at,
            "DeleteTime": self.deleted_at if state in ("deleting", "deleted") else None,
            "NatGatewayAddresses": [address.to_dict(at) for address in self.held_at(at)],
            "NatGatewayId": self.id,
            "State": state,
            "SubnetId": self.subnet_id,
            "VpcId": self.vpc_id,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "ConnectivityType": self.connectivity_type,
            "AvailabilityMode": "zonal",
        }

    def _in_service_at(self, instant: datetime) -> list[str]:
        if self.states.at(instant) != "available":
            return []
        return [
            address.association_id
            for address in self.addresses
            if address.association_id and address.status.at(instant) == "succeeded"
        ]
