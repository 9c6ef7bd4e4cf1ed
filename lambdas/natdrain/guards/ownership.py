"""The guards that ask who else has a hand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from natdrain.guards.case import Case, Finding
from natdrain.model.drain import timestamp
from natdrain.model.gateway import ASSOCIATING, FAILED
from natdrain.model.look import Unread

__all__ = ["calendar", "owner", "put_back", "siblings"]

# CloudFormation user guide, resource tags: it puts this on whatever a stack has made and can carry tags.
_STACK_TAG = "aws:cloudformation:stack-name"


def siblings(case: Case) -> Iterator[Finding]:
    """No other address is on its way, or has failed."""
    others = [a for a in case.gateway.addresses if a not in case.targets] if case.to_ask else []
    for other in others:
        if other.status in ASSOCIATING:
            yield Finding(f"{other.label} is {other.status}: ask again when it is in service.")
        elif other.status == FAILED:
            why = other.failure_message or "EC2 gives no reason"
            yield Finding(f"{other.label} has failed ({why}): see to it first.")


def put_back(case: Case) -> Iterator[Finding]:
    """Nobody has put an address back that we had taken off."""
    for target in case.to_ask:
        for before in case.remembered.values():
            the_same = before.allocation_id == target.allocation_id
            # One that we did not see leave has left too, if it is here under another association.
            left = before.gone_by or before.leaving
            if the_same and left and before.association_id != target.association_id:
                when = f"by {timestamp(before.gone_by)}" if before.gone_by else "while nobody watched"
                yield Finding(
                    f"{target.label} had left as {before.association_id} {when}, and somebody has put it "
                    f"back since: find out who, or it may come back again."
                )


def owner(case: Case) -> Iterator[Finding]:
    """Nobody else declares what gateway and addresses are like; of tags that are not known `opt_in` tells."""
    if not case.acts:
        return
    gateway_id, tags = case.gateway.gateway_id, case.gateway.tags
    if stack := tags.get(_STACK_TAG):
        yield Finding(
            f"{gateway_id} belongs to the CloudFormation stack {stack}, which compares templates and not "
            f"gateways: it notices nothing until an update changes the addresses of the gateway; that one "
            f"goes by its template, whether that still lists this address or not."
        )
    yield from _of_other_tools(case, gateway_id, tags)
    for allocation_id, label, eip_tags in case.tags_of(case.to_ask):
        if stack := eip_tags.get(_STACK_TAG):
            yield Finding(
                f"{label} belongs to the CloudFormation stack {stack}, which keeps the allocation and does "
                f"not mind where it is; once released, that stack cannot get it back.",
                firm=allocation_id in case.releasing,
            )
        yield from _of_other_tools(case, label, eip_tags, released=allocation_id in case.releasing)


def _of_other_tools(
    case: Case, label: str, tags: Mapping[str, str], *, released: bool = False
) -> Iterator[Finding]:
    for key, value in tags.items():
        for pattern, does_next in case.policy.owner_tags.items():
            if _matches(pattern, f"{key}={value}" if "=" in pattern else key):
                for_good = " It is to be released, and would be lost to that tool." if released else ""
                yield Finding(f"{label} carries the tag {key}={value}: {does_next}.{for_good}", firm=released)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def calendar(case: Case) -> Iterator[Finding]:
    """The change calendars, if the deployment has any, are open."""
    state, names = case.look.calendar, ", ".join(case.policy.change_calendars)
    if not case.acts or state is None:
        return
    if isinstance(state, Unread):
        yield Finding(
            f"the change calendar ({names}) could not be read ({state.why}), so nobody can tell. "
            f"It must be in this region, and `guards.change_calendars` name it.",
            firm=True,
        )
    elif state.closed:
        until = f" until {state.until}" if state.until else ""
        yield Finding(f"the change calendar ({names}) is closed{until}.")
