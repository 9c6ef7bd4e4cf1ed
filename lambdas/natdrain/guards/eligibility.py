"""The guards that ask if gateway and addresses may be touched at all; no request lifts them."""

from collections.abc import Iterator, Mapping

from natdrain.contract import OPT_IN_TAG, OPT_IN_VALUE, PROTECT_TAG
from natdrain.guards.case import Case, Finding, address_finding
from natdrain.model.gateway import AVAILABLE, PENDING
from natdrain.model.look import Unread
from natdrain.report import findings
from natdrain.report.wording import eip_name, name_of


def ec2(case: Case) -> Iterator[Finding]:
    """Find what EC2 has no way to do, or forbids."""
    gateway = case.gateway
    if gateway.connectivity != "public":
        yield case.gateway_finding(findings.PRIVATE_GATEWAY, kind=gateway.connectivity)
    if gateway.state == PENDING:
        yield case.gateway_finding(findings.GATEWAY_PENDING)
    elif gateway.state != AVAILABLE:
        yield case.gateway_finding(findings.GATEWAY_NOT_AVAILABLE, state=gateway.state)
    for target in case.targets:
        if gateway.may_be_primary(target):
            yield address_finding(findings.PRIMARY, target, gateway=gateway.gateway_id)
    if zones := sorted({join.zone for join in case.joining if join.zone}) if not gateway.regional else []:
        yield case.gateway_finding(findings.ZONE_OF_ZONAL, zones=", ".join(zones))
    if gateway.regional and any(join.zone is None for join in case.joining):
        yield case.gateway_finding(findings.ZONE_MISSING)


def opt_in(case: Case) -> Iterator[Finding]:
    """Find a gateway or Elastic IP without the opt-in tag; unknown tags count as missing."""
    for resource, name, tags in _tagged(case):
        if tags.get(OPT_IN_TAG) != OPT_IN_VALUE:
            value = tags.get(OPT_IN_TAG)
            has = "" if value is None else findings.OPTED_OTHERWISE.format(value=value)
            yield Finding(findings.NOT_OPTED_IN.about(resource, name=name, has=has, resource=resource))
    eips = case.look.elastic_ips
    if isinstance(eips, Unread):
        yield Finding(findings.TAGS_UNREAD.about(None, why=eips.why))
        return
    for target in case.targets:
        if target.allocation_id not in eips:
            allocation, name = target.allocation_id, name_of(target)
            yield Finding(findings.ALLOCATION_NOT_SHOWN.about(allocation, allocation=allocation, name=name))
    for join in (join for join in case.joining if join.allocation_id not in eips):
        # EC2's reads are eventually consistent: it may be a new one.
        problem = findings.NO_SUCH_ALLOCATION.about(join.allocation_id, allocation=join.allocation_id)
        yield Finding(problem, passing=True)


def protect(case: Case) -> Iterator[Finding]:
    """Find a gateway or Elastic IP with the protect tag."""
    for resource, name, tags in _tagged(case):
        # IAM user guide, Condition: tag keys do not differ by case alone, so IAM would deny PROTECT too.
        if tag := next((key for key in tags if key.lower() == PROTECT_TAG), None):
            yield Finding(findings.PROTECTED.about(resource, name=name, tag=tag, resource=resource))


def _tagged(case: Case) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield id, name and tags of the gateway and of each Elastic IP."""
    yield case.gateway.gateway_id, case.gateway.gateway_id, case.gateway.tags
    for allocation_id, public_ip, eip in case.elastic_ips(case.targets):
        yield allocation_id, eip_name(public_ip, allocation_id), eip.tags


def hold(case: Case) -> Iterator[Finding]:
    """Find a hold on the gateway, or on all; a running drain cannot be held."""
    if case.acts:
        yield from (Finding(findings.held(one)) for one in case.look.holds)


def aws_managed(case: Case) -> Iterator[Finding]:
    """Find a gateway whose addresses are not its owner's to change."""
    if case.gateway.aws_managed:
        yield case.gateway_finding(findings.MANAGED_BY_AWS)
