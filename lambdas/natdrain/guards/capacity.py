"""The guards that ask whether what remains is enough."""

from __future__ import annotations

from collections.abc import Iterator

from natdrain.guards.case import Case, Finding
from natdrain.guards.policy import PORTS_PER_ADDRESS
from natdrain.model.gateway import AVAILABLE, Gateway, zone_option
from natdrain.model.look import Unread

__all__ = ["capacity", "last", "ports", "remaining"]


def last(case: Case) -> Iterator[Finding]:
    """Some address of the gateway stays in service."""
    if case.to_ask and not case.staying and case.gateway.state == AVAILABLE:
        yield Finding(
            f"no address of {case.gateway.gateway_id} would stay in service. "
            f"Associate another one first: {_associate(case.gateway)}"
        )


def remaining(case: Case) -> Iterator[Finding]:
    """As many addresses as the policy wants stay in service, in each zone by itself on a regional gateway."""
    gateway, least = case.gateway, case.policy.remaining_addresses
    if gateway.aws_managed or not case.staying:
        return  # `aws_managed` or `last` tells of it
    zones = {target.zone for target in case.to_ask} if gateway.regional else {None} if case.to_ask else set()
    for zone in sorted(zones, key=str):
        count = sum(not gateway.regional or address.zone == zone for address in case.staying)
        if count < least:
            where = (
                f"{gateway.gateway_id} in {zone or 'an unnamed zone'}"
                if gateway.regional
                else gateway.gateway_id
            )
            yield Finding(
                f"{where} would keep {_addresses(count)} in service, and is to keep {least} at least. "
                f"Associate another one first: {_associate(gateway, zone)}"
            )


def ports(case: Case) -> Iterator[Finding]:
    """The gateway has had ports enough of late."""
    load, gateway_id = case.look.load, case.gateway.gateway_id
    if not case.to_ask or load is None:
        return
    if isinstance(load, Unread):
        yield _unread("ErrorPortAllocation", gateway_id, load)
    elif load.port_errors:
        yield Finding(
            f"{gateway_id} could not allocate a port {load.port_errors} times in the last "
            f"{case.policy.port_errors_minutes} minutes (ErrorPortAllocation): it needs more addresses, not "
            f"fewer. Associate another one: {_associate(case.gateway)}"
        )


def capacity(case: Case) -> Iterator[Finding]:
    """The ports that remain would do for the peak of connections, if all had the same destination."""
    load, gateway_id = case.look.load, case.gateway.gateway_id
    if not case.to_ask or load is None:
        return
    room = PORTS_PER_ADDRESS * len(case.staying)
    if isinstance(load, Unread):
        yield _unread("ActiveConnectionCount", gateway_id, load)
    elif load.peak_connections is None:
        yield Finding(
            f"CloudWatch has no ActiveConnectionCount of {gateway_id} in the last "
            f"{case.policy.capacity_minutes} minutes, so neither this guard nor `ports` knows how busy it is."
        )
    elif load.peak_connections > room:
        yield Finding(
            f"{gateway_id} had up to {load.peak_connections} connections at once in the last "
            f"{case.policy.capacity_minutes} minutes (ActiveConnectionCount), and would keep "
            f"{_addresses(len(case.staying))} with ports for {room} to any one destination. This heuristic "
            f"over-estimates: the metric counts the connections to all destinations together."
        )


def _unread(metric: str, gateway_id: str, unread: Unread) -> Finding:
    return Finding(
        f"{metric} of {gateway_id} could not be read ({unread.why}), so nobody can tell.", firm=True
    )


def _associate(gateway: Gateway, zone: str | None = None) -> str:
    where = zone_option(zone or "...") if gateway.regional else ""
    return (
        f"aws ec2 associate-nat-gateway-address --nat-gateway-id {gateway.gateway_id}{where} "
        f"--allocation-ids ..."
    )


def _addresses(count: int) -> str:
    return f"{count} address{'' if count == 1 else 'es'}"
