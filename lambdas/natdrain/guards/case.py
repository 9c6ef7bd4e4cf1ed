"""The case that the guards judge, and their findings."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from natdrain.guards.policy import GuardPolicy
from natdrain.model.drain import Drain
from natdrain.model.gateway import ASSOCIATING, FAILED, IN_SERVICE, LEAVING, Address, Gateway
from natdrain.model.join import Join
from natdrain.model.look import ElasticIp, Look, Unread
from natdrain.model.problem import Problem
from natdrain.model.request import Direction
from natdrain.report.sentence import Sentence
from natdrain.report.wording import name_of


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of a guard.

    `firm`: only an override makes it a warning, since the facts are unknown or what follows is for good.
    `mild`: it is a warning whatever the verdict. `passing`: it ends by itself, when EC2 has done what it is
    doing or shows it.
    """

    problem: Problem
    firm: bool = False
    mild: bool = False
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Taking `targets` off `gateway`, as the look shows them, and releasing allocations; or a join.

    `releasing` has the public IPs of the allocations to be released, by their ids. `joining` are to be
    associated; `departed` are associations of theirs that have been seen to leave. `remembered` is what our
    own table has on these addresses, by association id. `automatic`: no person asks.
    """

    look: Look
    gateway: Gateway
    targets: Sequence[Address]
    policy: GuardPolicy
    remembered: Mapping[str, Drain] = field(default_factory=dict)
    releasing: Mapping[str, str | None] = field(default_factory=dict)
    joining: Sequence[Join] = ()
    departed: Collection[str] = ()
    automatic: bool = False

    @property
    def acts(self) -> bool:
        """True if something would have to be asked of EC2."""
        return bool(self.to_ask or self.releasing or self.joining)

    @property
    def direction(self) -> Direction:
        """The kind of change."""
        return Direction.JOIN if self.joining else Direction.LEAVE

    @property
    def to_ask(self) -> list[Address]:
        """The targets for which EC2 would have to be asked: a running drain cannot be stopped."""
        return [target for target in self.targets if target.status not in LEAVING]

    @property
    def losing(self) -> list[Address]:
        """The targets that may be in service, and then are so no more."""
        return [target for target in self.to_ask if target.status != FAILED]

    def elastic_ips(self, addresses: Sequence[Address]) -> Iterator[tuple[str, str | None, ElasticIp]]:
        """Yield id, public IP and look of the allocations of addresses, and of those to release or associate.

        Those that EC2 does not show are left out.
        """
        named: list[Address | Join] = [*addresses, *self.joining]
        ips = {str(one.allocation_id): one.public_ip for one in named}
        eips = self.shown_eips
        yield from ((key, ip, eips[key]) for key, ip in (ips | dict(self.releasing)).items() if key in eips)

    @property
    def shown_eips(self) -> Mapping[str, ElasticIp]:
        """The allocations that EC2 shows, by id; none if they could not be read."""
        return {} if isinstance(self.look.elastic_ips, Unread) else self.look.elastic_ips

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
    def coming(self) -> list[Address]:
        """The addresses that are being associated and would stay."""
        return [a for a in self.gateway.addresses if a.status in ASSOCIATING and a not in self.targets]

    def coming_in(self, zone: str | None) -> list[Address]:
        """The addresses that are being associated in one of `zones`."""
        return [address for address in self.coming if address.zone == zone]

    @property
    def zones(self) -> list[str | None]:
        """The zones that addresses would leave; None stands for a zonal gateway, or an unknown zone."""
        return sorted({target.zone for target in self.losing}, key=str)

    def staying_in(self, zone: str | None) -> list[Address]:
        """The addresses in service that would stay in one of `zones`."""
        return [address for address in self.staying if address.zone == zone]

    def gateway_finding(
        self,
        sentence: Sentence,
        *,
        firm: bool = False,
        mild: bool = False,
        passing: bool = False,
        **facts: object,
    ) -> Finding:
        """Return a finding about the gateway, which the sentence calls `{gateway}`."""
        gateway_id = self.gateway.gateway_id
        problem = sentence.about(gateway_id, gateway=gateway_id, **facts)
        return Finding(problem, firm=firm, mild=mild, passing=passing)


def address_finding(sentence: Sentence, address: Address, **facts: object) -> Finding:
    """Return a finding about an address, which the sentence calls `{name}`."""
    return Finding(sentence.about(address.association_id, name=name_of(address), **facts))
