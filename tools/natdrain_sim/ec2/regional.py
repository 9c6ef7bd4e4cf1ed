"""Regional NAT gateways (VPC user guide, "Regional NAT gateways for automatic multi-AZ expansion")."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidParameterValue, MissingParameterError
from moto.ec2.models.availability_zones_and_regions import Zone
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import random_route_table_id, random_subnet_id

from .addresses import ElasticAddress
from .models import NatGateway
from .settings import settings_of
from .timeline import now

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend


class RegionalNatGateway(NatGateway):
    """A NAT gateway of a whole VPC, whose addresses each serve one zone; its owner or AWS manages them.

    Inferred: its addresses have no `IsPrimary`, so each of them can be removed.
    """

    max_addresses = 32

    def __init__(self, backend: "EC2Backend", vpc_id: str, *, automatic: bool, **given: Any) -> None:
        zones, cidr = backend.describe_availability_zones(), backend.get_vpc(vpc_id).cidr_block
        # It is in no subnet of the VPC's owner: its private IPs come from a subnet that no call shows.
        arguments = (random_subnet_id(), vpc_id, cidr, None, zones[0], False, False)
        hidden = Subnet(backend, *arguments)  # type: ignore[abstract]  # in moto
        super().__init__(backend, hidden, **given)
        self.subnet_id = ""  # none, for moto's filters
        self.automatic = automatic
        self.route_table_id = random_route_table_id()

    def zone(self, wanted: str | None) -> Zone:
        """Return the zone that an address serves, by its name or id; both error codes are inferred."""
        if not wanted:
            raise MissingParameterError("AvailabilityZone")
        zone: Zone
        for zone in self.ec2_backend.describe_availability_zones():
            if wanted in (zone.name, zone.zone_id):
                return zone
        raise InvalidParameterValue(f"Value ({wanted}) for parameter availabilityZone is invalid.")

    def association_seconds(self, zone: str | None) -> float:
        """Return how long an address that serves this zone will be `associating`."""
        served = self.zone(zone)
        in_service = [one.zone for one in self.addresses if one.status.at(now()) == "succeeded"]
        lags = settings_of(self.ec2_backend).lags
        return lags.associate if served in in_service else lags.expand_zone

    def default_addresses(self) -> tuple[list[ElasticAddress | None], list[str | None]]:
        """Return an EIP of AWS's own for each zone of the VPC's subnets, if AWS manages the addresses."""
        subnets = self.ec2_backend.describe_subnets(filters={"vpc-id": self.vpc_id}) if self.automatic else []
        zones = sorted({subnet.availability_zone for subnet in subnets})
        eips: list[Any] = [self.ec2_backend.allocate_address("vpc") for _ in zones]
        return eips, [*zones]

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGateway` as of `at`; its route table is only an id."""
        by_aws = "enabled" if self.automatic else "disabled"
        return super().to_dict(at) | {
            "AvailabilityMode": "regional",
            "AutoScalingIps": by_aws,
            "AutoProvisionZones": by_aws,
            "RouteTableId": self.route_table_id,
        }
