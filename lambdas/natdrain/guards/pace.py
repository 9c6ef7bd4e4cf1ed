"""The guard that asks how many addresses automatic requests have taken off lately."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from natdrain.guards.case import Case, Finding
from natdrain.model.gateway import IN_SERVICE, Address, Gateway
from natdrain.model.look import Unread
from natdrain.model.pace import Pace, Take
from natdrain.report import findings
from natdrain.report.wording import listed, name_of


def pace(case: Case) -> Iterator[Finding]:
    """Find that gateways lose more addresses within the window than the policy lets automatic requests take.

    A request by hand is judged only if an automatic one has taken addresses off before.
    """
    policy, known, minutes = case.policy, case.look.pace, case.policy.pace_minutes
    targets = [target for target in case.losing if target.status == IN_SERVICE]
    if known is None or not targets:
        return
    if isinstance(known, Unread):
        yield Finding(findings.PACE_UNREAD.about(None, why=known.why), firm=True)
        return
    takes = [take for take in known.takes if take.until > case.look.seen_at]
    before = [take for take in takes if take.association_id not in {t.association_id for t in targets}]
    if not (case.automatic or before):
        return
    gateway_id = case.gateway.gateway_id
    here = [take for take in takes if take.gateway_id == gateway_id]
    others = len(takes) - len(here)
    names = listed([name_of(target) for target in targets])
    loss = _loss(here, targets, case.serving)
    later = _loss(here, targets, [*case.serving, *case.coming])
    if loss > (most := policy.pace_addresses_per_gateway):
        facts = {"names": names, "loss": loss, "minutes": minutes, "most": most}
        problem = findings.PACE_OF_GATEWAY.about(gateway_id, gateway=gateway_id, **facts)
        yield Finding(problem, passing=later <= most)
    if others + loss > (most := policy.pace_addresses):
        facts = {"names": names, "loss": others + loss, "minutes": minutes, "most": most}
        yield Finding(findings.PACE_OF_ALL.about(None, **facts), passing=others + later <= most)


def _loss(takes: Sequence[Take], targets: Sequence[Address], serving: Sequence[Address]) -> int:
    """Return how many addresses fewer would be in service than before the first of the takes."""
    zones = {take.zone for take in takes} | {target.zone for target in targets}
    return sum(_loss_in_zone(takes, targets, serving, zone) for zone in zones)


def _loss_in_zone(
    takes: Sequence[Take], targets: Sequence[Address], serving: Sequence[Address], zone: str | None
) -> int:
    here = [address for address in serving if address.zone == zone]
    taken = [take for take in takes if take.zone == zone]
    gone = {take.association_id for take in taken} | {t.association_id for t in targets if t.zone == zone}
    left = sum(address.association_id not in gone for address in here)
    # An address that has joined since makes up for one that was taken.
    first = min(taken, key=lambda take: (take.until, -take.in_service), default=None)
    return min(len(gone), max(0, (first.in_service if first else len(here)) - left))


def takes(gateway: Gateway, targets: Sequence[Address], pace: Pace, until: datetime) -> tuple[Take, ...]:
    """Return what is to be counted before EC2 is asked to take these addresses off."""
    before = {take.association_id: take for take in pace.takes}
    serving = [a for a in gateway.addresses if a.status == IN_SERVICE and a.association_id not in before]
    taken = []
    for target in (target for target in targets if target.status == IN_SERVICE):
        association_id = str(target.association_id)
        # One that is counted already was in service with more than stay now.
        known = before.get(association_id)
        count = sum(a.zone == target.zone for a in serving)
        in_service = max(count, known.in_service if known else 0)
        taken.append(
            Take(
                association_id=association_id,
                gateway_id=gateway.gateway_id,
                zone=target.zone,
                until=until,
                in_service=in_service,
            )
        )
    return tuple(taken)
