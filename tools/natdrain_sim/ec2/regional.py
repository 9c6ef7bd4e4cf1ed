"""Regional NAT gateways (VPC user guide, "Regional NAT gateways for automatic multi-AZ expansion")."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import InvalidParameterValue, MissingParameterError
from moto.ec2.models.availability_zones_and_regions import Zone
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import random_route_table_id, random_subnet_id

from .models import NatGateway

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend


class RegionalNatGateway(NatGateway):
    """A NAT gateway of a whole VPC, whose addresses each serve a zone; managed by its owner or by AWS.

    That its addresses have no `IsPrimary`, so that each can be removed, is inferred.
    """

    max_addresses = 32

    def __init__(self, backend: "EC2Backend", vpc_id: str, *, automatic: bool, **given: Any) -> None:
        zones, cidr = backend.describe_availability_zones(), backend.get_vpc(vpc_id).cidr_block
        # It stands in no subnet of its owner's: its private IPs come from one that nobody sees.
        place = (random_subnet_id(), vpc_id, cidr, None, zones[0], False, False)
        hidden = Subnet(backend, *place)  # type: ignore[abstract]  # moto leaves CloudFormation's undefined
        super().__init__(backend, hidden, **given)
        self.subnet_id = ""  # what moto's filters take for none
        self.automatic = automatic
        self.route_table_id = random_route_table_id()

    def zone(self, wanted: str | None) -> Zone:
        """Return the zone of that name or id, which an address shall serve.

        Raises:
            MissingParameterError: none is given (inferred).
            InvalidParameterValue: there is no such zone in the region (inferred).
        """
        if not wanted:
            raise MissingParameterError("AvailabilityZone")
        zone: Zone
        for zone in self.ec2_backend.describe_availability_zones():
            if wanted in (zone.name, zone.zone_id):
                return zone
        raise InvalidParameterValue(f"Value ({wanted}) for parameter availabilityZone is invalid.")

    def own_addresses(self) -> tuple[list[ElasticAddress | None], list[str | None]]:
        """Return an EIP of AWS's own for each zone where the VPC has a subnet, if AWS shall manage them."""
        subnets = self.ec2_backend.describe_subnets(filters={"vpc-id": self.vpc_id}) if self.automatic else []
        zones = sorted({subnet.availability_zone for subnet in subnets})
        return [self.ec2_backend.allocate_address("vpc") for _ in zones], [*zones]

    def to_dict(self, at: datetime) -> dict[str, Any]:
        """Return EC2's `NatGateway` as it is at `at`; of its route table there is nothing but the id."""
        by_aws = "enabled" if self.automatic else "disabled"
        return super().to_dict(at) | {
            "AvailabilityMode": "regional",
            "AutoScalingIps": by_aws,
            "AutoProvisionZones": by_aws,
            "RouteTableId": self.route_table_id,
        }
