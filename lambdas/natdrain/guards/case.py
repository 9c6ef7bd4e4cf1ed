"""The case that the guards judge, and their findings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import ASSOCIATING, FAILED, IN_SERVICE, LEAVING, Address, Gateway
from natdrain.model.look import ElasticIp, Look, Unread
from natdrain.model.problem import Problem
from natdrain.report.sentence import Sentence
from natdrain.report.wording import name_of


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a guard.

    `firm`: only an override makes it a warning, since the facts are unknown or what follows is for good.
    `passing`: it ends when the addresses come into service that are being associated.
    """

    problem: Problem
    firm: bool = False
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Taking `targets` off `gateway`, as the look shows them, and releasing allocations.

    `releasing` has the public IPs of the latter by their ids. `remembered` is what our own table has on these
    addresses, by association id. `automatic`: no person asks.
    """

    look: Look
    gateway: Gateway
    targets: Sequence[Address]
    policy: GuardPolicy
    remembered: Mapping[str, Drain] = field(default_factory=dict)
    releasing: Mapping[str, str | None] = field(default_factory=dict)
    automatic: bool = False

    @property
    def acts(self) -> bool:
        """True if something would have to be asked of EC2."""
        return bool(self.to_ask or self.releasing)

    @property
    def to_ask(self) -> list[Address]:
        """The targets for which EC2 would have to be asked: a running drain cannot be stopped."""
        return [target for target in self.targets if target.status not in LEAVING]

    @property
    def losing(self) -> list[Address]:
        """The targets that may be in service, and then are so no more."""
        return [target for target in self.to_ask if target.status != FAILED]

    def elastic_ips(self, addresses: Sequence[Address]) -> Iterator[tuple[str, str | None, ElasticIp]]:
        """Yield id, public IP and look of the allocations of addresses, and of those to be released.

        Those that EC2 does not show are left out.
        """
        eips = {} if isinstance(self.look.elastic_ips, Unread) else self.look.elastic_ips
        ips = {str(address.allocation_id): address.public_ip for address in addresses} | dict(self.releasing)
        yield from ((key, ip, eips[key]) for key, ip in ips.items() if key in eips)

    @property
    def staying(self) -> list[Address]:
        """The addresses in service that would stay; a primary one stays in any case."""
        leaving = [a for a in self.targets if not self.gateway.may_be_primary(a)]
        return [address for address in self.serving if address not in leaving]

    @property
    def serving(self) -> list[Address]:
        """The addresses in service."""
        return [address for address in self.gateway.addresses if address.status == IN_SERVICE]

    @property
    def joining(self) -> list[Address]:
        """The addresses that are being associated and would stay."""
        return [a for a in self.gateway.addresses if a.status in ASSOCIATING and a not in self.targets]

    def joining_in(self, zone: str | None) -> list[Address]:
        """The addresses that are being associated in one of `zones`."""
        return [address for address in self.joining if address.zone == zone]

    @property
    def zones(self) -> list[str | None]:
        """The zones that addresses would leave; None stands for a zonal gateway, or an unknown zone."""
        return sorted({target.zone for target in self.losing}, key=str)

    def staying_in(self, zone: str | None) -> list[Address]:
        """The addresses in service that would stay in one of `zones`."""
        return [address for address in self.staying if address.zone == zone]

    def gateway_finding(
        self, sentence: Sentence, *, firm: bool = False, passing: bool = False, **facts: object
    ) -> Finding:
        """Return a finding about the gateway, which the sentence calls `{gateway}`."""
        gateway_id = self.gateway.gateway_id
        return Finding(sentence.about(gateway_id, gateway=gateway_id, **facts), firm, passing)


def address_finding(sentence: Sentence, address: Address, **facts: object) -> Finding:
    """Return a finding about an address, which the sentence calls `{name}`."""
    return Finding(sentence.about(address.association_id, name=name_of(address), **facts))
