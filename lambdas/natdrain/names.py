"""Names that the functions and the stack must agree on."""

from __future__ import annotations

__all__ = ["OPT_IN_TAG", "OPT_IN_VALUE", "PROTECT_TAG", "SERVICE", "TABLE_ENV", "GatewayRecord"]

SERVICE = "natdrain"
"""Service of every log line, namespace of every metric."""

OPT_IN_TAG = "natdrain:managed"
OPT_IN_VALUE = "true"
"""natdrain touches only gateways and Elastic IPs that carry this tag with this value."""

PROTECT_TAG = "natdrain:protect"
"""natdrain never touches a gateway or Elastic IP that carries this tag, whatever its value."""

TABLE_ENV = "NATDRAIN_TABLE"
"""Environment variable with the name of the table of locks and history."""


class GatewayRecord:
    """Attribute names in the table; one item with the sort key `LOCK` for each gateway.

    A gateway is locked while its item has an `OWNER`. `DRAINS` maps the association ids that were
    asked of EC2 and have not been seen to leave yet to what was asked; it outlives the owner.
    """

    GATEWAY = "NatGatewayId"
    SORT = "Record"
    LOCK = "lock"
    OWNER = "Owner"
    SINCE = "Since"
    REASON = "Reason"
    DRAINS = "Drains"
