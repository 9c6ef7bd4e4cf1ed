"""The wire of the NAT gateway actions. `install` puts these methods on moto's `NatGateways` response mixin.

Parameters and answers: EC2 API reference. A dry run is a permission check: it looks at nothing else.
"""

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterValue
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.utils import add_tag_specification

from .timeline import now

DEFAULT_DRAIN_LIMIT_SECONDS = 350
PAGE_SIZES = range(5, 1001)


class NatGateways(EC2BaseResponse):
    """The actions on NAT gateways."""

    def create_nat_gateway(self) -> ActionResult:
        """CreateNatGateway, of zonal gateways."""
        self.error_on_dryrun()
        if self._get_param("AvailabilityMode", "zonal") != "zonal":
            self.ec2_backend.raise_not_implemented_error("A regional NAT gateway")
        gateway = self.ec2_backend.create_nat_gateway(
            subnet_id=self._get_param("SubnetId"),
            allocation_id=self._get_param("AllocationId"),
            tags=add_tag_specification(self._get_param("TagSpecifications", [])),
            connectivity_type=self._get_param("ConnectivityType", "public"),
            secondary_allocation_ids=self._get_param("SecondaryAllocationIds", []),
        )
        return ActionResult({"NatGateway": gateway.to_dict(now())})

    def delete_nat_gateway(self) -> ActionResult:
        """DeleteNatGateway."""
        self.error_on_dryrun()
        gateway = self.ec2_backend.delete_nat_gateway(self._get_param("NatGatewayId"))
        return ActionResult({"NatGatewayId": gateway.id})

    def describe_nat_gateways(self) -> ActionResult:
        """DescribeNatGateways: pages follow the order of creation; the token is where the next begins."""
        self.error_on_dryrun()
        size = self._get_param("MaxResults", PAGE_SIZES[-1])
        if size not in PAGE_SIZES:
            raise InvalidParameterValue(f"Value ({size}) for parameter maxResults is invalid.")
        gateways = self.ec2_backend.describe_nat_gateways(
            self._filters_from_querystring(), self._get_param("NatGatewayIds", [])
        )
        token = self._get_param("NextToken", "0")
        if not token.isdecimal():
            raise InvalidParameterValue(f"Value ({token}) for parameter nextToken is invalid.")
        end = int(token) + size
        shown = [gateway.to_dict(gateway.seen_at) for gateway in gateways[int(token) : end]]
        return ActionResult({"NatGateways": shown, "NextToken": str(end) if end < len(gateways) else None})

    def associate_nat_gateway_address(self) -> ActionResult:
        """AssociateNatGatewayAddress, of zonal gateways."""
        self.error_on_dryrun()
        gateway_id = self._get_param("NatGatewayId")
        addresses = self.ec2_backend.associate_nat_gateway_address(
            gateway_id, self._get_param("AllocationIds", [])
        )
        shown = [address.to_dict(now()) | {"Status": "associating"} for address in addresses]
        return ActionResult({"NatGatewayId": gateway_id, "NatGatewayAddresses": shown})

    def disassociate_nat_gateway_address(self) -> ActionResult:
        """DisassociateNatGatewayAddress."""
        self.error_on_dryrun()
        gateway_id = self._get_param("NatGatewayId")
        addresses = self.ec2_backend.disassociate_nat_gateway_address(
            gateway_id,
            self._get_param("AssociationIds", []),
            self._get_param("MaxDrainDurationSeconds", DEFAULT_DRAIN_LIMIT_SECONDS),
        )
        shown = [address.to_dict(now()) | {"Status": "disassociating"} for address in addresses]
        return ActionResult({"NatGatewayId": gateway_id, "NatGatewayAddresses": shown})
