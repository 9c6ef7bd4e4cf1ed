"""The guards that ask if what remains is enough."""

from collections.abc import Iterator

from natdrain.guards.case import Case, Finding
from natdrain.guards.policy import PORTS_PER_ADDRESS
from natdrain.model.gateway import AVAILABLE
from natdrain.model.look import Unread
from natdrain.report import findings
from natdrain.report.wording import count_of


def last(case: Case) -> Iterator[Finding]:
    """Find that no address of the gateway would stay in service."""
    if case.to_ask and not case.staying and case.gateway.state == AVAILABLE:
        yield case.gateway_finding(findings.NO_ADDRESS_STAYS, command=findings.associate(case.gateway))


def remaining(case: Case) -> Iterator[Finding]:
    """Find fewer addresses than the policy wants in service, on a regional gateway in each zone by itself."""
    gateway, least = case.gateway, case.policy.remaining_addresses
    if gateway.aws_managed or not case.staying:
        return  # `aws_managed` or `last` finds it
    zones = {target.zone if gateway.regional else None for target in case.to_ask}
    for zone in sorted(zones, key=str):
        count = sum(not gateway.regional or address.zone == zone for address in case.staying)
        if count < least:
            yield Finding(findings.too_few_stay(gateway, zone, count, least))


def ports(case: Case) -> Iterator[Finding]:
    """Find that the gateway has lacked ports lately."""
    load, minutes = case.look.load, case.policy.port_errors_minutes
    if not case.to_ask or load is None:
        return
    if isinstance(load, Unread):
        yield _unread(case, "ErrorPortAllocation", load)
    elif load.port_errors:
        command, errors = findings.associate(case.gateway), load.port_errors
        yield case.gateway_finding(findings.PORT_ERRORS, errors=errors, minutes=minutes, command=command)


def capacity(case: Case) -> Iterator[Finding]:
    """Find that the remaining ports would not do for the peak of connections, if all had one destination."""
    load, minutes, staying = case.look.load, case.policy.capacity_minutes, len(case.staying)
    if not case.to_ask or load is None:
        return
    room = PORTS_PER_ADDRESS * staying
    if isinstance(load, Unread):
        yield _unread(case, "ActiveConnectionCount", load)
    elif (peak := load.peak_connections) is None:
        yield case.gateway_finding(findings.LOAD_UNKNOWN, minutes=minutes)
    elif peak > room:
        count = count_of(staying, "address")
        yield case.gateway_finding(
            findings.PEAK_ABOVE_PORTS, peak=peak, minutes=minutes, count=count, ports=room
        )


def _unread(case: Case, metric: str, load: Unread) -> Finding:
    return case.gateway_finding(findings.LOAD_UNREAD, firm=True, metric=metric, why=load.why)
