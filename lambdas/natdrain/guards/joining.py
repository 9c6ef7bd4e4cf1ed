"""The guards that ask if allocations can join: are they free, and has the gateway room."""

from collections import Counter
from collections.abc import Iterator

from natdrain.guards.case import Case, Finding
from natdrain.model.gateway import FAILED, LEAVING, Address
from natdrain.model.join import Join
from natdrain.model.look import ElasticIp, Unread
from natdrain.report import findings
from natdrain.report.wording import eip_name

MAX_ZONAL = 8
MAX_IN_ZONE = 32
"""The most addresses of a zonal gateway, and of a zone of a regional one (VPC user guide, quotas)."""


def free(case: Case) -> Iterator[Finding]:
    """Find an allocation that something else has, or that this gateway cannot use.

    A NAT gateway's EIP has a network interface and no instance, so that both fields count (EC2 API
    reference, Address).
    """
    groups = {case.shown_eips[str(a.allocation_id)].border_group for a in _with_eip(case)} - {None}
    for join in (join for join in case.joining if join.allocation_id in case.shown_eips):
        eip = case.shown_eips[join.allocation_id]
        facts = {"name": eip_name(eip.public_ip, join.allocation_id), "gateway": case.gateway.gateway_id}
        if eip.service_managed:
            problem = findings.SERVICE_MANAGED.about(join.allocation_id, service=eip.service_managed, **facts)
            yield Finding(problem)
        if eip.border_group and groups and eip.border_group not in groups:
            of_gateway = ", ".join(sorted(map(str, groups)))
            group = {"group": eip.border_group, "of_gateway": of_gateway}
            yield Finding(findings.OTHER_BORDER_GROUP.about(join.allocation_id, **group, **facts))
        yield from _in_use(case, join, eip, facts)


def _with_eip(case: Case) -> list[Address]:
    return [a for a in case.gateway.addresses if a.allocation_id in case.shown_eips]


def _in_use(case: Case, join: Join, eip: ElasticIp, facts: dict[str, str]) -> Iterator[Finding]:
    for entry in case.gateway.with_allocation(join.allocation_id):
        if entry.status in LEAVING:
            yield Finding(findings.STILL_LEAVING.about(join.allocation_id, **facts), passing=True)
            return
        if entry.status == FAILED:
            way_out = findings.take_off(case.gateway, entry)
            yield Finding(findings.FAILED_HERE.about(join.allocation_id, way_out=way_out, **facts))
            return
    if used_as := eip.association_id or eip.network_interface_id:
        # DescribeAddresses lags: it may still show what we have seen to leave.
        passing = used_as in {*case.departed, *join.progress.seen_before}
        yield Finding(findings.IN_USE.about(join.allocation_id, used_as=used_as, **facts), passing=passing)


def room(case: Case) -> Iterator[Finding]:
    """Find that the gateway would have more addresses than its quota; one that has failed counts too."""
    gateway, quota = case.gateway, case.look.quota
    if gateway.regional:
        # A request may call a zone by its name; the gateway tells the id, if it has an address there.
        ids = {address.zone_name: address.zone for address in gateway.addresses}
        wanted_in = Counter(str(ids.get(join.zone) or join.zone) for join in case.joining)
        for zone, wanted in sorted(wanted_in.items()):
            listed = [a for a in gateway.addresses if zone in {a.zone, a.zone_name}]
            yield from _room(case, findings.place(gateway, zone), listed, wanted, MAX_IN_ZONE)
        return
    listed, wanted = [*gateway.addresses], len(case.joining)
    if isinstance(quota, Unread):
        yield case.gateway_finding(findings.QUOTA_UNREAD, mild=True, why=quota.why)
        quota = MAX_ZONAL
    if quota is not None and len(listed) > quota:
        yield case.gateway_finding(findings.QUOTA_DISPROVED, mild=True, count=len(listed), quota=quota)
        quota = MAX_ZONAL
    if quota is not None:
        yield from _room(case, gateway.gateway_id, listed, wanted, quota)


def _room(case: Case, where: str, listed: list[Address], wanted: int, most: int) -> Iterator[Finding]:
    needed = len(listed) + wanted
    if needed <= most:
        return
    leaving = sum(address.status in LEAVING for address in listed)
    larger = needed <= MAX_ZONAL and not case.gateway.regional
    fix = findings.RAISE_OR_DRAIN.format(needed=needed) if larger else findings.DRAIN_FIRST
    problem = findings.NO_ROOM.about(
        case.gateway.gateway_id, where=where, listed=len(listed), wanted=wanted, most=most, fix=fix
    )
    yield Finding(problem, passing=needed - leaving <= most)
