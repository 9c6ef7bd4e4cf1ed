"""The guards that ask whether gateway and addresses may be touched at all; no request lifts them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from natdrain.contract import OPT_IN_TAG, OPT_IN_VALUE, PROTECT_TAG
from natdrain.guards.case import Case, Finding
from natdrain.model.gateway import AVAILABLE, FAILED
from natdrain.model.look import Unread

__all__ = ["aws_managed", "ec2", "hold", "opt_in", "protect"]


def ec2(case: Case) -> Iterator[Finding]:
    """What EC2 has no way to do, or forbids."""
    gateway = case.gateway
    if gateway.connectivity != "public":
        yield Finding(
            f"{gateway.gateway_id} is a {gateway.connectivity} NAT gateway, which has no Elastic IPs; "
            f"nothing overrides that."
        )
    if gateway.state != AVAILABLE:
        then = "Ask again when it is." if gateway.state == "pending" else "Nothing overrides that."
        yield Finding(
            f"{gateway.gateway_id} is {gateway.state}; its addresses can be taken off only while available. "
            f"{then}"
        )
    for target in case.targets:
        if gateway.may_be_primary(target):
            yield Finding(
                f"{target.label} is the primary address of {gateway.gateway_id}: EC2 forbids to disassociate "
                f"it, and nothing overrides that."
            )
        if target.status == FAILED:
            yield Finding(
                f"{target.label} has the status failed ({target.failure_message or 'EC2 gives no reason'}); "
                f"only an address in service can be drained, and nothing overrides that."
            )


def opt_in(case: Case) -> Iterator[Finding]:
    """Gateway and Elastic IPs must carry the opt-in tag, and tags that nobody sees count as missing."""
    yield from _of_tags(case, _not_opted_in)
    eips = case.look.elastic_ips
    if isinstance(eips, Unread):
        yield Finding(
            f"the tags of the Elastic IPs could not be read ({eips.why}), so nobody can tell; "
            f"nothing overrides that."
        )
        return
    for target in case.targets:
        if target.allocation_id not in eips:
            yield Finding(
                f"EC2 does not show the allocation {target.allocation_id} of {target.label}, so its tags are "
                f"unknown. Ask again when it does."
            )


def protect(case: Case) -> Iterator[Finding]:
    """Neither gateway nor Elastic IPs may carry the protect tag."""
    yield from _of_tags(case, _protected)


def _of_tags(
    case: Case, problem_of: Callable[[str, str, Mapping[str, str]], str | None]
) -> Iterator[Finding]:
    gateway = case.gateway
    tagged = [(gateway.gateway_id, gateway.gateway_id, gateway.tags), *case.tags_of(case.targets)]
    yield from (Finding(problem) for each in tagged if (problem := problem_of(*each)))


def _not_opted_in(resource: str, label: str, tags: Mapping[str, str]) -> str | None:
    """That a resource lacks the opt-in tag, and the command that gives it."""
    if tags.get(OPT_IN_TAG) == OPT_IN_VALUE:
        return None
    has = f" (it has {OPT_IN_TAG}={tags[OPT_IN_TAG]})" if OPT_IN_TAG in tags else ""
    return (
        f"{label} does not carry the tag {OPT_IN_TAG}={OPT_IN_VALUE}{has}. To let natdrain touch it: "
        f"aws ec2 create-tags --resources {resource} --tags Key={OPT_IN_TAG},Value={OPT_IN_VALUE}"
    )


def _protected(resource: str, label: str, tags: Mapping[str, str]) -> str | None:
    """That a resource carries the protect tag, and the command that takes it away."""
    # IAM user guide, Condition: tag keys do not differ by case alone, so IAM would deny PROTECT too.
    if (key := next((key for key in tags if key.lower() == PROTECT_TAG), None)) is None:
        return None
    return (
        f"{label} carries the tag {key}, which no request can lift. To lift it: "
        f"aws ec2 delete-tags --resources {resource} --tags Key={key}"
    )


def hold(case: Case) -> Iterator[Finding]:
    """Nobody holds the gateway, or all of them; what drains already cannot be held."""
    if case.acts:
        yield from (Finding(one.problem) for one in case.look.holds)


def aws_managed(case: Case) -> Iterator[Finding]:
    """The addresses of the gateway are the owner's to take off."""
    if case.gateway.aws_managed:
        yield Finding(
            f"{case.gateway.gateway_id} is a regional NAT gateway whose addresses AWS manages: it would "
            f"bring others, or refuse. Nothing overrides that."
        )
