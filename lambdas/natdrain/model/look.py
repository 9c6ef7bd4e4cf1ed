"""A *look*: one fresh view of a gateway, and of what the guards want to know beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from natdrain.model.gateway import Gateway
from natdrain.model.pace import Pace


@dataclass(frozen=True, slots=True)
class Unread:
    """A fact that could not be read, and why: never a reason to go on."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticIp:
    """An allocation as DescribeAddresses shows it, which lags up to half a minute behind DescribeNatGateways.

    `association_id` is what it is associated with, whatever that is, and `network_interface_id` the interface
    that has it; both are None when it is free. `service_managed` names the AWS service that manages it, if
    one does. `border_group` is the network border group from which it comes, and in which alone it serves.
    """

    tags: Mapping[str, str]
    public_ip: str | None = None
    association_id: str | None = None
    network_interface_id: str | None = None
    service_managed: str | None = None
    border_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person's word that nothing is to be changed: on the gateway `held`, or on all.

    `table` is the name of the table that has the hold.
    """

    held: str
    why: str
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load of a gateway, or of one zone of a regional one, as CloudWatch has it.

    `port_errors` and `peak_connections` are those within the windows of the policy, `connections` those of
    the latest minute. The last two are None without any data, which an available gateway should have: it
    reports zeros too (VPC user guide, NAT gateway metrics). That errors without data are none is inferred.
    """

    port_errors: int
    peak_connections: int | None
    connections: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCalendar:
    """The state of the change calendars taken together (SSM API reference, GetCalendarState)."""

    closed: bool
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The gateway and its surroundings as AWS showed them at `seen_at` (aware UTC).

    `gateway` is None when EC2 knows no such gateway. `elastic_ips` holds, by allocation id, those that
    were asked for; one that is missing there was not found. `load` is by the zone of addresses, and by None
    for a zonal gateway. `load`, `pace` and `calendar` are None when no guard asks for them.
    """

    seen_at: datetime
    gateway: Gateway | None
    elastic_ips: Mapping[str, ElasticIp] | Unread = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    load: Mapping[str | None, Load] | Unread | None = None
    pace: Pace | Unread | None = None
    quota: int | Unread | None = None
    calendar: ChangeCalendar | Unread | None = None
