"""The guards: each a pure function of one look and the addresses to drain.

A guard returns the reasons why not, each with the command that mends it or saying that nothing
can. All guards are asked, and everything they say is reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from natdrain.gateways import AVAILABLE, FAILED, IN_SERVICE, Address, Gateway, Look
from natdrain.names import OPT_IN_TAG, OPT_IN_VALUE, PROTECT_TAG

__all__ = ["refusals"]


def refusals(look: Look, gateway: Gateway, targets: Sequence[Address]) -> list[str]:
    """Every reason why `targets` must not be taken off `gateway`; empty when there is none."""
    return [problem for guard in _GUARDS for problem in guard(look, gateway, targets)]


def _kind(_look: Look, gateway: Gateway, _targets: Sequence[Address]) -> list[str]:
    if gateway.connectivity != "public":
        return [f"{gateway.gateway_id} is a {gateway.connectivity} NAT gateway, which has no Elastic IPs."]
    if gateway.availability_mode != "zonal":
        return [
            f"{gateway.gateway_id} is a {gateway.availability_mode} NAT gateway; natdrain handles zonal ones."
        ]
    return []


def _state(_look: Look, gateway: Gateway, _targets: Sequence[Address]) -> list[str]:
    if gateway.state == AVAILABLE:
        return []
    wait = " Try again when it is available." if gateway.state == "pending" else ""
    return [
        f"{gateway.gateway_id} is {gateway.state}; its addresses can be taken off only while available.{wait}"
    ]


def _tags(look: Look, gateway: Gateway, targets: Sequence[Address]) -> list[str]:
    problems = _tag_problems(gateway.gateway_id, gateway.gateway_id, gateway.tags)
    for target in targets:
        allocation = str(target.allocation_id)
        tags = look.allocation_tags.get(allocation)
        if tags is None:
            problems.append(
                f"EC2 does not show the allocation {allocation} of {target.label}, so its tags are unknown."
            )
        else:
            problems += _tag_problems(allocation, f"{target.public_ip} ({allocation})", tags)
    return problems


def _tag_problems(resource: str, label: str, tags: Mapping[str, str]) -> list[str]:
    problems = []
    if tags.get(OPT_IN_TAG) != OPT_IN_VALUE:
        problems.append(
            f"{label} does not carry the tag {OPT_IN_TAG}={OPT_IN_VALUE}. To let natdrain touch it: "
            f"aws ec2 create-tags --resources {resource} --tags Key={OPT_IN_TAG},Value={OPT_IN_VALUE}"
        )
    if PROTECT_TAG in tags:
        problems.append(
            f"{label} carries the tag {PROTECT_TAG}, which no request can lift. To lift it: "
            f"aws ec2 delete-tags --resources {resource} --tags Key={PROTECT_TAG}"
        )
    return problems


def _primary(_look: Look, gateway: Gateway, targets: Sequence[Address]) -> list[str]:
    return [
        f"{target.label} is the primary address of {gateway.gateway_id}: EC2 forbids to disassociate it, "
        f"and nothing overrides that."
        for target in targets
        if gateway.may_be_primary(target)
    ]


def _status(_look: Look, _gateway: Gateway, targets: Sequence[Address]) -> list[str]:
    return [
        f"{target.label} has the status failed ({target.failure_message or 'EC2 gives no reason'}); "
        f"only an address in service can be drained."
        for target in targets
        if target.status == FAILED
    ]


def _remaining(_look: Look, gateway: Gateway, targets: Sequence[Address]) -> list[str]:
    leaving = [a for a in targets if not gateway.may_be_primary(a)]
    staying = [a for a in gateway.addresses if a.status == IN_SERVICE and a not in leaving]
    if staying or not targets or gateway.state != AVAILABLE:
        return []
    command = (
        f"aws ec2 associate-nat-gateway-address --nat-gateway-id {gateway.gateway_id} --allocation-ids ..."
    )
    return [
        f"No address of {gateway.gateway_id} would stay in service. Associate another one first: {command}"
    ]


_GUARDS: tuple[Callable[[Look, Gateway, Sequence[Address]], list[str]], ...] = (
    _kind,
    _state,
    _tags,
    _primary,
    _status,
    _remaining,
)
