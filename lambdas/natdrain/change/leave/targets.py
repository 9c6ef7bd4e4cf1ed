"""The addresses that a request names, on its gateway or in our own record."""

from __future__ import annotations

from collections.abc import Mapping

from natdrain.change.leave.progress import left_unwatched
from natdrain.intake.request import Request
from natdrain.model.drain import Drain
from natdrain.model.gateway import AVAILABLE, Address, Gateway
from natdrain.model.look import Look

__all__ = ["find"]


def find(
    request: Request, look: Look, gateway: Gateway, remembered: Mapping[str, Drain]
) -> tuple[list[Address], list[Drain], list[str]]:
    """The addresses that the request names, those that have left by our own record, and problems."""
    ways: dict[str, set[str]] = {}
    left: dict[str, Drain] = {}
    problems: list[str] = []
    for field_name, attribute, names in (
        ("AssociationIds", "association_id", request.association_ids),
        ("AllocationIds", "allocation_id", request.allocation_ids),
        ("PublicIps", "public_ip", request.public_ips),
    ):
        way = set()
        for name in names:
            here = next((a for a in gateway.addresses if getattr(a, attribute) == name), None)
            before = max(
                (d for d in remembered.values() if getattr(d, attribute) == name),
                key=lambda drain: drain.gone_by or drain.since_at,
                default=None,
            )
            if here is not None and here.association_id is not None:
                way.add(here.association_id)
            elif here is not None:
                problems.append(
                    f"{name} is {here.status} on {gateway.gateway_id}: ask again when it is in service."
                )
            elif before is not None and gateway.state == AVAILABLE:
                way.add(before.association_id)
                left[before.association_id] = left_unwatched(before, look, gateway)
            elif not (request.scheduled and gateway.state == AVAILABLE):
                problems.append(f"{name} is not on {gateway.gateway_id}: {_ELSEWHERE}")
        if names:
            ways[field_name] = way
    if problems and gateway.addresses:
        problems[-1] += f" On this gateway: {', '.join(a.label for a in gateway.addresses)}."
    elif len({frozenset(way) for way in ways.values()}) > 1:
        meant = ", ".join(
            f"{name} means {', '.join(sorted(way)) or 'nothing here'}" for name, way in ways.items()
        )
        problems.append(
            f"The request names its addresses in ways that disagree: {meant}. Name them in one way."
        )
    wanted = set().union(*ways.values())
    return [a for a in gateway.addresses if a.association_id in wanted], list(left.values()), problems


_ELSEWHERE = "it may have left, be mistyped or belong to another gateway, which EC2 does not tell apart."
