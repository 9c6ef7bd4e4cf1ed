"""The guards that ask who else changes the gateway and its addresses."""

import re
from collections.abc import Iterator, Mapping

from natdrain.guards.case import Case, Finding, address_finding
from natdrain.model.gateway import FAILED
from natdrain.model.look import Unread
from natdrain.report import findings
from natdrain.report.wording import eip_name

# CloudFormation user guide, resource tags: it puts this on whatever a stack has made and can carry tags.
_STACK_TAG = "aws:cloudformation:stack-name"


def siblings(case: Case) -> Iterator[Finding]:
    """Find another address that has failed."""
    others = [a for a in case.gateway.addresses if a not in case.targets] if case.to_ask else []
    for other in (other for other in others if other.status == FAILED):
        facts = {
            "why": other.failure_message or findings.NO_REASON,
            "way_out": findings.take_off(case.gateway, other),
        }
        yield address_finding(findings.SIBLING_FAILED, other, **facts)


def put_back(case: Case) -> Iterator[Finding]:
    """Find an address that natdrain had taken off and somebody has put back."""
    for target in case.to_ask:
        for before in case.remembered.values():
            same_allocation = before.allocation_id == target.allocation_id
            # One that we did not see leave has left too, if it is here under another association.
            left = before.progress.gone_by or before.leaving
            if same_allocation and left and before.association_id != target.association_id:
                when, association = findings.left_by(before.progress.gone_by), before.association_id
                yield address_finding(findings.PUT_BACK, target, association=association, when=when)


def owner(case: Case) -> Iterator[Finding]:
    """Find another tool that declares gateway or addresses; unknown tags are for `opt_in` to find."""
    if not case.acts:
        return
    gateway = case.gateway
    if stack := gateway.tags.get(_STACK_TAG):
        yield case.gateway_finding(findings.STACK_OWNS_GATEWAY, stack=stack)
    yield from _other_tools(case, gateway.gateway_id, gateway.gateway_id, gateway.tags)
    for allocation_id, public_ip, eip in case.elastic_ips(case.to_ask):
        name = eip_name(public_ip, allocation_id)
        if stack := eip.tags.get(_STACK_TAG):
            problem = findings.STACK_OWNS_ALLOCATION.about(allocation_id, name=name, stack=stack)
            yield Finding(problem, firm=allocation_id in case.releasing)
        yield from _other_tools(case, allocation_id, name, eip.tags)


def _other_tools(case: Case, resource: str, name: str, tags: Mapping[str, str]) -> Iterator[Finding]:
    released = resource in case.releasing
    for key, value in tags.items():
        tag = f"{key}={value}"
        for pattern, does_next in case.policy.owner_tags.items():
            if _matches(pattern, tag if "=" in pattern else key):
                sentence = findings.TOOL_LOSES if released else findings.TOOL_OWNS
                sentence = findings.TOOL_MAY_UNDO if case.joining else sentence
                problem = sentence.about(resource, name=name, tag=tag, does_next=does_next)
                yield Finding(problem, firm=released)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def calendar(case: Case) -> Iterator[Finding]:
    """Find a closed change calendar, if the deployment has any."""
    state, names = case.look.calendar, ", ".join(case.policy.change_calendars)
    if not case.acts or state is None:
        return
    if isinstance(state, Unread):
        yield Finding(findings.CALENDAR_UNREAD.about(None, names=names, why=state.why), firm=True)
    elif state.closed:
        until = findings.UNTIL.with_(at=state.until) if state.until else ""
        yield Finding(findings.CALENDAR_CLOSED.about(None, names=names, until=until))
