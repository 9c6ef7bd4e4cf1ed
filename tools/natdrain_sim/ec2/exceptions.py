"""Exceptions that moto lacks, one class per EC2 error code.

Sources: "Error codes for the Amazon EC2 API" and public reports, unless a class says otherwise.
"""

from collections.abc import Sequence

from moto.ec2.exceptions import EC2ClientError


class OperationInProgressError(EC2ClientError):
    """Another address operation runs on the gateway. The text for `ASSOCIATING` is EC2's, as reported."""

    def __init__(self, *, verb: str, allocation_ids: Sequence[str]) -> None:
        text = f"Service is currently {verb} the following EIPs: [{', '.join(allocation_ids)}]."
        super().__init__("OperationInProgress", text)


class NatGatewayNotFoundError(EC2ClientError):
    """The account has no such gateway in this region."""

    def __init__(self, gateway_id: str) -> None:
        super().__init__("NatGatewayNotFound", f"The Nat Gateway {gateway_id} was not found")


class NatGatewayMalformedError(EC2ClientError):
    """The gateway id is not `nat-` with 8 or 17 hexadecimal digits."""

    def __init__(self, gateway_id: str) -> None:
        super().__init__("NatGatewayMalformed", f"The Nat Gateway ID {gateway_id} is malformed")


class InvalidIPAddressInUseError(EC2ClientError):
    """The EIP to release is in use."""

    def __init__(self, address: str) -> None:
        super().__init__("InvalidIPAddress.InUse", f"The address {address} is in use.")


class TooManyAddressesError(EC2ClientError):
    """The gateway, or one of its zones, would have too many addresses. The code is inferred."""

    def __init__(self, limit: int) -> None:
        text = f"A NAT gateway, or each zone of a regional one, can have at most {limit} addresses."
        super().__init__("PrivateIpAddressLimitExceeded", text)
