"""Requests and responses of actions on NAT gateways and EIPs; `install` sets these methods on moto's classes.

Source: EC2 API reference. A dry run checks the permission and nothing else.
"""

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterCombination, InvalidParameterValue
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.utils import add_tag_specification

from .models import NatGateway
from .regional import RegionalNatGateway
from .timeline import now

DEFAULT_DRAIN_LIMIT_SECONDS = 350
PAGE_SIZES = range(5, 1001)
ZONAL_ONLY = ("SubnetId", "AllocationId", "SecondaryAllocationIds")
REGIONAL_ONLY = ("VpcId", "AvailabilityZoneAddresses")


class ElasticIPAddresses(EC2BaseResponse):
    """The actions on EIPs."""

    def allocate_address(self) -> ActionResult:
        """AllocateAddress. DescribeAddresses and AssociateNatGatewayAddress find the EIP only after a lag."""
        self.error_on_dryrun()
        param = self._get_param
        tags = add_tag_specification(param("TagSpecifications", []))
        eip = self.ec2_backend.allocate_address(
            param("Domain"), param("Address"), tags, param("NetworkBorderGroup")
        )
        eip.allocated_at = now()
        return ActionResult(eip)


class NatGateways(EC2BaseResponse):
    """The actions on NAT gateways."""

    def create_nat_gateway(self) -> ActionResult:
        """CreateNatGateway. The error code for parameters of both modes is inferred."""
        self.error_on_dryrun()
        param, backend = self._get_param, self.ec2_backend
        regional = param("AvailabilityMode", "zonal") == "regional"
        if any(param(name) for name in (ZONAL_ONLY if regional else REGIONAL_ONLY)):
            raise InvalidParameterCombination("Parameters of a zonal and of a regional NAT gateway are given")
        if regional:
            groups = param("AvailabilityZoneAddresses", [])
            gateway: NatGateway = RegionalNatGateway(backend, param("VpcId"), automatic=not groups)
        else:
            groups = [{"AllocationIds": [param("AllocationId"), *param("SecondaryAllocationIds", [])]}]
            kind = param("ConnectivityType", "public")
            gateway = NatGateway(backend, backend.get_subnet(param("SubnetId")), connectivity_type=kind)
        zones = {
            allocation_id: group.get("AvailabilityZone") or group.get("AvailabilityZoneId")
            for group in groups
            for allocation_id in group.get("AllocationIds", [])
            if allocation_id
        }
        backend.set_up_nat_gateway(gateway, zones, add_tag_specification(param("TagSpecifications", [])))
        return ActionResult({"NatGateway": gateway.to_dict(now())})

    def delete_nat_gateway(self) -> ActionResult:
        """DeleteNatGateway."""
        self.error_on_dryrun()
        gateway = self.ec2_backend.delete_nat_gateway(self._get_param("NatGatewayId"))
        return ActionResult({"NatGatewayId": gateway.id})

    def describe_nat_gateways(self) -> ActionResult:
        """DescribeNatGateways. Pages are in the order of creation; the token is where the next begins."""
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
        """AssociateNatGatewayAddress."""
        self.error_on_dryrun()
        gateway_id = self._get_param("NatGatewayId")
        addresses = self.ec2_backend.associate_nat_gateway_address(
            gateway_id,
            self._get_param("AllocationIds", []),
            self._get_param("AvailabilityZone") or self._get_param("AvailabilityZoneId"),
            self._get_param("PrivateIpAddresses", []),
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
