"""Errors of EC2 that moto lacks.

Sources: "Error codes for the Amazon EC2 API" and public reports, unless a comment says otherwise.
"""

from moto.ec2.exceptions import EC2ClientError

_TEXTS = {
    # The text is EC2's for ASSOCIATING, as reported.
    "OperationInProgress": "Service is currently {} the following EIPs: [{}].",
    "NatGatewayNotFound": "The Nat Gateway {} was not found",
    "NatGatewayMalformed": "The Nat Gateway ID {} is malformed",
    "InvalidIPAddress.InUse": "The address {} is in use.",
    # The text is as reported for network interfaces: aws/amazon-vpc-cni-k8s pull request 1773.
    "InsufficientFreeAddressesInSubnet": (
        "The specified subnet does not have enough free addresses to satisfy the request."
    ),
    # These codes are inferred.
    "OperationNotPermitted": "The address {} is managed by {}.",
    "PrivateIpAddressLimitExceeded": "A NAT gateway, or a regional one's zone, has at most {} addresses.",
}


def ec2_error(code: str, *facts: object) -> EC2ClientError:
    """Return the error with this code, and the facts in its text."""
    return EC2ClientError(code, _TEXTS[code].format(*facts))
