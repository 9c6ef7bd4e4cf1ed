"""The guards that ask if what remains is enough."""

from collections.abc import Iterator

from natdrain.guards.case import Case, Finding
from natdrain.guards.policy import PORTS_PER_ADDRESS
from natdrain.model.gateway import AVAILABLE
from natdrain.model.look import Load, Unread
from natdrain.report import findings
from natdrain.report.wording import count_of


def last(case: Case) -> Iterator[Finding]:
    """Find that no address of the gateway would stay in service."""
    if case.losing and not case.staying and case.gateway.state == AVAILABLE:
        passing, command = bool(case.coming), findings.associate(case.gateway)
        yield case.gateway_finding(findings.NO_ADDRESS_STAYS, passing=passing, command=command)


def remaining(case: Case) -> Iterator[Finding]:
    """Find fewer addresses than the policy wants in service, on a regional gateway in each zone by itself."""
    gateway, least = case.gateway, case.policy.remaining_addresses
    if gateway.aws_managed or not case.staying:
        return  # `aws_managed` or `last` finds it
    for zone in case.zones:
        if (count := len(case.staying_in(zone))) < least:
            passing = count + len(case.coming_in(zone)) >= least
            yield Finding(findings.too_few_stay(gateway, zone, count, least), passing=passing)


def ports(case: Case) -> Iterator[Finding]:
    """Find that the gateway, or a zone of a regional one, has lacked ports lately."""
    minutes = case.policy.port_errors_minutes
    for zone, load in _loads(case):
        if isinstance(load, Unread):
            yield _unread(case, "ErrorPortAllocation", load)
        elif errors := load.port_errors:
            where, command = findings.place(case.gateway, zone), findings.associate(case.gateway, zone)
            yield case.gateway_finding(
                findings.PORT_ERRORS, where=where, errors=errors, minutes=minutes, command=command
            )


def capacity(case: Case) -> Iterator[Finding]:
    """Find that the remaining ports would not do for the peak of connections, if all had one destination."""
    minutes = case.policy.capacity_minutes
    for zone, load in _loads(case):
        staying, where = len(case.staying_in(zone)), findings.place(case.gateway, zone)
        room = PORTS_PER_ADDRESS * staying
        if isinstance(load, Unread):
            yield _unread(case, "ActiveConnectionCount", load)
        elif (peak := load.peak_connections) is None:
            yield case.gateway_finding(findings.LOAD_UNKNOWN, where=where, minutes=minutes)
        elif peak > room:
            yield case.gateway_finding(
                findings.PEAK_ABOVE_PORTS,
                passing=peak <= room + PORTS_PER_ADDRESS * len(case.coming_in(zone)),
                where=where,
                peak=peak,
                minutes=minutes,
                count=count_of(staying, "address"),
                ports=room,
            )


def _loads(case: Case) -> Iterator[tuple[str | None, Load | Unread]]:
    """Yield the load of each zone that addresses would leave; of a zonal gateway there is one."""
    loads = case.look.load
    if isinstance(loads, Unread):
        yield from [(None, loads)] if case.losing else ()
    elif loads is not None:
        nothing = Load(port_errors=0, peak_connections=None)
        yield from ((zone, loads.get(zone, nothing)) for zone in case.zones)


def _unread(case: Case, metric: str, load: Unread) -> Finding:
    return case.gateway_finding(findings.LOAD_UNREAD, firm=True, metric=metric, why=load.why)
