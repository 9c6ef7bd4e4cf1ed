"""The targets of a request: the addresses that it names, on their gateway or in our own record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from natdrain.change.leave.progress import adopt_left
from natdrain.model.drain import Drain
from natdrain.model.gateway import AVAILABLE, FAILED, LEAVING, Address, Gateway
from natdrain.model.look import Look
from natdrain.model.problem import Problem
from natdrain.model.request import Request
from natdrain.report import details
from natdrain.report.sentence import Sentence
from natdrain.report.wording import name_of

_Found = Address | Drain | Problem | None
_WAYS = {
    "AssociationIds": ("association_ids", "association_id"),
    "Disassociate": ("allocation_ids", "allocation_id"),
    "PublicIps": ("public_ips", "public_ip"),
}
"""The fields that name addresses, each with the attributes of a request and of an address that have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The addresses that a request names: `here` on the gateway, or `left` by our own record."""

    here: list[Address]
    left: list[Drain]
    problems: list[Problem]


def find_targets(request: Request, look: Look, gateway: Gateway, remembered: Mapping[str, Drain]) -> Targets:
    """Find the addresses that the request names, whatever it calls them."""
    found = {
        way: [_find(attribute, name, request, gateway, remembered) for name in getattr(request, names)]
        for way, (names, attribute) in _WAYS.items()
    }
    every = list(chain.from_iterable(found.values()))
    problems = [one for one in every if isinstance(one, Problem)] or _disagreement(found)
    here = {one.association_id for one in every if isinstance(one, Address)}
    left = {one.association_id: adopt_left(one, look, gateway) for one in every if isinstance(one, Drain)}
    shown = [address for address in gateway.addresses if address.association_id in here]
    return Targets(here=shown, left=list(left.values()), problems=problems)


def _disagreement(found: Mapping[str, Sequence[_Found]]) -> list[Problem]:
    """Return the problem of names that mean different addresses in different ways of naming them."""
    ways = {
        way: {str(one.association_id) for one in ones if isinstance(one, Address | Drain)}
        for way, ones in found.items()
        if ones
    }
    if len({frozenset(ids) for ids in ways.values()}) <= 1:
        return []
    meant = (f"{way}: {', '.join(sorted(ids)) or details.NOTHING_HERE}" for way, ids in ways.items())
    return [details.WAYS_DISAGREE.about(None, meant="; ".join(meant))]


def _find(
    attribute: str, name: str, request: Request, gateway: Gateway, remembered: Mapping[str, Drain]
) -> _Found:
    """Find one name; None if a schedule names what is not there."""
    here = next((a for a in gateway.addresses if getattr(a, attribute) == name), None)
    before = max(
        (drain for drain in remembered.values() if getattr(drain, attribute) == name),
        key=lambda drain: drain.progress.gone_by or drain.progress.since_at,
        default=None,
    )
    if here is None and before is not None and not before.outcome:
        here = gateway.entry_of(before.association_id, before.allocation_id)
    if here is not None:
        if here.association_id:
            return here
        facts = {"name": name, "status": here.status, "gateway": gateway.gateway_id}
        return _unassociated(here).about(here.allocation_id, **facts)
    if gateway.state == AVAILABLE and (before is not None or request.scheduled):
        return before
    on_it = ", ".join(map(name_of, gateway.addresses)) or details.NONE
    return details.NOT_ON_GATEWAY.about(name, name=name, gateway=gateway.gateway_id, here=on_it)


def _unassociated(here: Address) -> Sentence:
    if here.status in LEAVING:
        return details.LEAVES_UNASSOCIATED
    return details.FAILED_UNASSOCIATED if here.status == FAILED else details.NOT_ASSOCIATED
