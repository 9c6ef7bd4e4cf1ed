"""The filters of DescribeNatGateways (EC2 API reference): all must match, one of the values each."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from moto.ec2.exceptions import InvalidParameterValue

from .models import NatGateway

_FILTERS = {
    "nat-gateway-id": "NatGatewayId",
    "state": "State",
    "subnet-id": "SubnetId",
    "vpc-id": "VpcId",
}


def require_known(names: Iterable[str]) -> None:
    """Refuse a filter that EC2 does not have.

    Raises:
        InvalidParameterValue: there is no such filter.
    """
    for name in names:
        if name not in {*_FILTERS, "tag-key"} and not name.startswith("tag:"):
            raise InvalidParameterValue(f"The filter '{name}' is invalid")


def matches(gateway: NatGateway, at: datetime, name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a known filter matches a gateway as it was at an instant; values may hold `*` and `?`."""
    shown = gateway.to_dict(at)
    tags = {tag["Key"]: tag["Value"] for tag in shown["Tags"]}
    if name.startswith("tag:"):
        found = [tags[key] for key in tags if key == name.removeprefix("tag:")]
    elif name == "tag-key":
        found = list(tags)
    else:
        found = [shown[_FILTERS[name]]]
    return any(fnmatchcase(value, pattern) for value in found for pattern in patterns)
