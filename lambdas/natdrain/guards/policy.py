"""What the guards look for, and what is done about what they find.

The one table of guards: the code, the configuration and `docs/guards.md` all read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

__all__ = [
    "PORTS_PER_ADDRESS",
    "RULES",
    "GuardPolicy",
    "Rule",
    "Verdict",
]

PORTS_PER_ADDRESS = 55_000
"""Simultaneous connections of one Elastic IP to one destination (VPC user guide, NAT gateway basics)."""


class Verdict(StrEnum):
    """What is done about something that a guard has found."""

    ALLOW = "allow"
    """It is not even looked for."""
    WARN = "warn"
    """It is told, and the drain goes on."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One guard; `by_hand` and `automatic` are its defaults.

    One that is `fixed` is lifted by no request, and no configuration changes it; `lifted_by` says what does.
    """

    name: str
    finds: str
    lifted_by: str = ""
    by_hand: Verdict = Verdict.REFUSE
    automatic: Verdict = Verdict.REFUSE
    fixed: bool = False

    @property
    def override(self) -> str:
        """What a request says to lift it, as people read it."""
        return f'Override: ["{self.name}"]'


def _fixed(name: str, finds: str, lifted_by: str) -> Rule:
    return Rule(name=name, finds=finds, lifted_by=lifted_by, fixed=True)


def _judged(name: str, finds: str, by_hand: Verdict, automatic: Verdict) -> Rule:
    return Rule(name=name, finds=finds, by_hand=by_hand, automatic=automatic)


RULES: tuple[Rule, ...] = (
    _fixed(
        "ec2",
        "what EC2 has no way to do or forbids: a private gateway, one that is not `available`, an address "
        "that is the primary one or `failed`",
        "nothing",
    ),
    _fixed(
        "opt_in",
        "gateway or Elastic IP without the tag `natdrain:managed` = `true` (IAM denies it too)",
        "the tag",
    ),
    _fixed(
        "protect",
        "gateway or Elastic IP with the tag `natdrain:protect`, whatever its value (IAM denies it too)",
        "removing the tag",
    ),
    _fixed("hold", "a hold on the gateway, or on all", "removing the hold"),
    _fixed("aws_managed", "a regional gateway whose addresses AWS manages", "nothing"),
    _fixed(
        "last",
        "no address of the gateway would stay in service",
        "associating another one first",
    ),
    _judged(
        "remaining",
        "fewer than `remaining_addresses` would stay in service, on a regional gateway in the same zone",
        Verdict.REFUSE,
        Verdict.REFUSE,
    ),
    _judged(
        "ports",
        "`ErrorPortAllocation` within the last `port_errors_minutes`: the gateway has too few ports already",
        Verdict.REFUSE,
        Verdict.REFUSE,
    ),
    _judged(
        "capacity",
        "the peak of `ActiveConnectionCount` within the last `capacity_minutes` is above 55,000 for each "
        "address that would remain: a heuristic that over-estimates what is needed, since the ports are for "
        "each destination and the metric counts all destinations together",
        Verdict.WARN,
        Verdict.WARN,
    ),
    _judged(
        "siblings",
        "another address of the gateway is being associated, or has failed",
        Verdict.REFUSE,
        Verdict.REFUSE,
    ),
    _judged(
        "put_back",
        "natdrain has taken the address off this gateway before, and somebody has put it back since",
        Verdict.WARN,
        Verdict.REFUSE,
    ),
    _judged(
        "owner",
        "CloudFormation (by its own tags) or another tool (by `owner_tags`) owns gateway or Elastic IP",
        Verdict.WARN,
        Verdict.REFUSE,
    ),
    _judged(
        "calendar",
        "one of `change_calendars` is closed",
        Verdict.WARN,
        Verdict.REFUSE,
    ),
)
"""Every guard, in the order in which they report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """What a deployment says of the guards: see `docs/guards.md`.

    `by_hand` and `automatic` change the verdicts of guards that are not fixed. `owner_tags` has for each
    tag of another tool what that tool will do next; a tag is `KEY` or `KEY=VALUE`, in which `*` stands for
    anything. `change_calendars` are names or ARNs of SSM documents.
    """

    by_hand: Mapping[str, str] = field(default_factory=dict)
    automatic: Mapping[str, str] = field(default_factory=dict)
    remaining_addresses: int = 1
    port_errors_minutes: int = 15
    capacity_minutes: int = 1440
    owner_tags: Mapping[str, str] = field(default_factory=dict)
    change_calendars: Sequence[str] = ()

    def verdict(self, rule: Rule, *, automatic: bool) -> Verdict:
        """What is done about what this guard finds."""
        if rule.fixed:
            return Verdict.REFUSE
        chosen = (self.automatic if automatic else self.by_hand).get(rule.name)
        return Verdict(chosen) if chosen else (rule.automatic if automatic else rule.by_hand)

    def asks(self, *guards: str, automatic: bool) -> bool:
        """Whether any of these guards is asked at all."""
        return any(
            self.verdict(rule, automatic=automatic) is not Verdict.ALLOW
            for rule in RULES
            if rule.name in guards
        )

    def to_text(self) -> str:
        """As an environment variable carries it."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> GuardPolicy:
        """The inverse of `to_text`."""
        return cls(**json.loads(text))
