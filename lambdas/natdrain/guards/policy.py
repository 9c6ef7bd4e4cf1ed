"""The table of guards: what each looks for, and what is done about what it finds.

The code, the configuration and the documents all read it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self

from natdrain.model.problem import Guard
from natdrain.model.request import Direction

PORTS_PER_ADDRESS = 55_000
"""Simultaneous connections of one Elastic IP to one destination (VPC user guide, NAT gateway basics)."""


BOTH = (Direction.LEAVE, Direction.JOIN)
_LEAVE = (Direction.LEAVE,)
_JOIN = (Direction.JOIN,)


class Verdict(StrEnum):
    """The action on a finding of a guard."""

    ALLOW = "allow"
    """The guard is not asked."""
    WARN = "warn"
    """It is reported, and the change goes on."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Rule:
    """One guard; `by_hand` and `automatic` are its defaults.

    It is asked about changes in these `directions`. One that is `fixed` is lifted by no request, and no
    configuration changes it; `lifted_by` says what does.
    """

    name: Guard
    finds: str
    by_hand: Verdict = Verdict.REFUSE
    automatic: Verdict = Verdict.REFUSE
    lifted_by: str = ""
    directions: tuple[Direction, ...] = BOTH

    @property
    def fixed(self) -> bool:
        """True if only `lifted_by` lifts it."""
        return bool(self.lifted_by)

    @property
    def override(self) -> str:
        """The field of a request that lifts it, as people write it."""
        return f'Override: ["{self.name}"]'


RULES: tuple[Rule, ...] = (
    Rule(
        Guard.EC2,
        "what EC2 has no way to do or forbids: a private gateway, one that is not `available`, taking off "
        "the primary address, a zone for a zonal gateway or none for a regional one",
        lifted_by="nothing",
    ),
    Rule(
        Guard.OPT_IN,
        "gateway or Elastic IP without the tag `natdrain:managed` = `true` (IAM denies it too)",
        lifted_by="the tag",
    ),
    Rule(
        Guard.PROTECT,
        "gateway or Elastic IP with the tag `natdrain:protect`, whatever its value (IAM denies it too)",
        lifted_by="removing the tag",
    ),
    Rule(Guard.HOLD, "a hold on the gateway, or on all", lifted_by="removing the hold"),
    Rule(Guard.AWS_MANAGED, "a regional gateway whose addresses AWS manages", lifted_by="nothing"),
    Rule(
        Guard.FREE,
        "an allocation that is not free: it is associated or has a network interface, AWS manages it, or it "
        "is of another network border group than the gateway",
        lifted_by="freeing it",
        directions=_JOIN,
    ),
    Rule(
        Guard.ROOM,
        "more addresses than the gateway may have: the quota of the account as Service Quotas reads it, "
        "applied or else AWS's default, for a zonal gateway, and 32 in each zone of a regional one. A quota "
        "that cannot be read, or that the gateway exceeds already, only warns",
        directions=_JOIN,
    ),
    Rule(
        Guard.LAST,
        "no address of the gateway would stay in service",
        lifted_by="associating another one first",
        directions=_LEAVE,
    ),
    Rule(
        Guard.REMAINING,
        "fewer than `remaining_addresses` would stay in service, on a regional gateway in the same zone",
        directions=_LEAVE,
    ),
    Rule(
        Guard.PORTS,
        "`ErrorPortAllocation` within the last `port_errors_minutes`: the gateway has too few ports already",
        directions=_LEAVE,
    ),
    Rule(
        Guard.CAPACITY,
        "the peak of `ActiveConnectionCount` within the last `capacity_minutes` is above 55,000 for each "
        "address that would remain: a heuristic that over-estimates what is needed, since the ports are for "
        "each destination and the metric counts all destinations together",
        Verdict.WARN,
        directions=_LEAVE,
    ),
    Rule(
        Guard.PACE,
        "within `pace_minutes`, automatic requests would take more than `pace_addresses_per_gateway` "
        "addresses off this gateway, or more than `pace_addresses` off all gateways: an outage is not ten "
        "blocked addresses. An address that has joined this gateway since makes up for one",
        Verdict.WARN,
        directions=_LEAVE,
    ),
    Rule(
        Guard.SIBLINGS,
        "another address of the gateway has failed",
        Verdict.WARN,
        Verdict.WARN,
        directions=_LEAVE,
    ),
    Rule(
        Guard.PUT_BACK,
        "natdrain has taken the address off this gateway before, and somebody has put it back since",
        Verdict.WARN,
        directions=_LEAVE,
    ),
    Rule(
        Guard.OWNER,
        "CloudFormation (by its own tags) or another tool (by `owner_tags`) owns gateway or Elastic IP",
        Verdict.WARN,
    ),
    Rule(Guard.CALENDAR, "one of `change_calendars` is closed", Verdict.WARN),
)
"""Every guard, in the order in which they report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """The choices of a deployment about the guards.

    `by_hand` and `automatic` change the verdicts of guards that are not fixed. `owner_tags` has for each
    tag of another tool what that tool will do next; a tag is `KEY` or `KEY=VALUE`, in which `*` stands for
    anything. `change_calendars` are names or ARNs of SSM documents.
    """

    by_hand: Mapping[str, str] = field(default_factory=dict)
    automatic: Mapping[str, str] = field(default_factory=dict)
    remaining_addresses: int = 1
    port_errors_minutes: int = 15
    capacity_minutes: int = 1440
    pace_addresses_per_gateway: int = 1
    pace_addresses: int = 3
    pace_minutes: int = 60
    owner_tags: Mapping[str, str] = field(default_factory=dict)
    change_calendars: Sequence[str] = ()

    @property
    def pace_window(self) -> timedelta:
        """The time for which an address that an automatic request has taken off counts."""
        return timedelta(minutes=self.pace_minutes)

    def verdict(self, rule: Rule, *, automatic: bool) -> Verdict:
        """Return the action on what this guard finds."""
        if rule.fixed:
            return Verdict.REFUSE
        chosen = (self.automatic if automatic else self.by_hand).get(rule.name)
        return Verdict(chosen) if chosen else (rule.automatic if automatic else rule.by_hand)

    def asks(self, *guards: Guard, automatic: bool) -> bool:
        """Return True if any of these guards is asked."""
        rules = (rule for rule in RULES if rule.name in guards)
        return any(self.verdict(rule, automatic=automatic) is not Verdict.ALLOW for rule in rules)

    def to_text(self) -> str:
        """Return the policy as an environment variable carries it."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` returned."""
        return cls(**json.loads(text))
