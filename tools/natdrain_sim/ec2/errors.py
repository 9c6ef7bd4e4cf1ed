"""The AWS error codes that NAT gateway addresses need and moto lacks: one class per code.

Codes are from "Error codes for the Amazon EC2 API", or as seen in public reports, unless the class says so.
"""

from collections.abc import Sequence

from moto.ec2.exceptions import EC2ClientError


class OperationInProgressError(EC2ClientError):
    """Another address operation runs on this gateway. The text for `ASSOCIATING` is EC2's, as reported."""

    def __init__(self, *, verb: str, allocation_ids: Sequence[str]) -> None:
        text = f"Service is currently {verb} the following EIPs: [{', '.join(allocation_ids)}]."
        super().__init__("OperationInProgress", text)


class NatGatewayNotFoundError(EC2ClientError):
    """No such gateway in this account and region."""

    def __init__(self, gateway_id: str) -> None:
        super().__init__("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")


class NatGatewayMalformedError(EC2ClientError):
    """The gateway id is not `nat-` and 8 or 17 hexadecimal digits."""

    def __init__(self, gateway_id: str) -> None:
        super().__init__("NatGatewayMalformed", f"The Nat Gateway ID {gateway_id} is malformed")


class InvalidIPAddressInUseError(EC2ClientError):
    """ReleaseAddress on an EIP that is in use."""

    def __init__(self, address: str) -> None:
        super().__init__("InvalidIPAddress.InUse", f"The address {address} is in use.")


class TooManyAddressesError(EC2ClientError):
    """More addresses than fit on one gateway, or zone. The code is inferred from EC2's list, not seen."""

    def __init__(self, limit: int) -> None:
        text = f"A NAT gateway, or each zone of a regional one, can have at most {limit} addresses."
        super().__init__("PrivateIpAddressLimitExceeded", text)
