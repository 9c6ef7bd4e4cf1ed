"""What the guards judge, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import DRAINING, IN_SERVICE, Address, Gateway
from natdrain.model.look import Look, Unread

__all__ = ["Case", "Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Taking `targets` off `gateway`, as the look shows them, and giving allocations back to AWS.

    `releasing` has the labels of the latter by their ids. `remembered` is what our own table remembers of
    these addresses, by association id.
    """

    look: Look
    gateway: Gateway
    targets: Sequence[Address]
    policy: GuardPolicy
    remembered: Mapping[str, Drain] = field(default_factory=dict)
    releasing: Mapping[str, str] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        """Something would have to be asked of EC2."""
        return bool(self.to_ask or self.releasing)

    @property
    def to_ask(self) -> list[Address]:
        """The targets for which EC2 would have to be asked: what drains already cannot be stopped."""
        return [target for target in self.targets if target.status != DRAINING]

    def tags_of(self, addresses: Sequence[Address]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
        """The tags of the allocations of addresses, and of those to be given back, as far as they are known.

        Each with the allocation's id and how messages name it.
        """
        labels = {str(a.allocation_id): f"{a.public_ip} ({a.allocation_id})" for a in addresses}
        for allocation_id, label in {**labels, **self.releasing}.items():
            eips = self.look.elastic_ips
            if not isinstance(eips, Unread) and (eip := eips.get(allocation_id)):
                yield allocation_id, label, eip.tags

    @property
    def staying(self) -> list[Address]:
        """The addresses in service that would stay; a primary one stays in any case."""
        leaving = [a for a in self.targets if not self.gateway.may_be_primary(a)]
        return [a for a in self.gateway.addresses if a.status == IN_SERVICE and a not in leaving]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a guard has found, and what mends it.

    `firm`: only an override makes a warning of it, since nobody knows, or what follows is for good.
    """

    text: str
    firm: bool = False
