"""What people read when a drain begins and when it has ended: a title and one paragraph.

Plain English that reads well aloud at night: which address, why, when it leaves, what happened, whether
anything was cut as far as anybody can tell, what to do next. A paragraph has no line break and neither double
quotes nor backslashes, so that it stays readable when it travels inside JSON; its commands can be pasted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from natdrain.change.conclude import NOTHING_TO_DO, Outcome
from natdrain.guards.policy import RULES
from natdrain.intake.request import MAX_DRAIN_LIMIT_SECONDS, AfterDrain, Request
from natdrain.model.drain import Drain
from natdrain.model.errors import GatewayBusy, RequestRefused
from natdrain.report.fates import of_addresses
from natdrain.report.wording import (
    ALLOCATIONS,
    alike,
    at,
    by_at_the_latest,
    cut,
    first_few,
    listed,
    name,
    number,
    numbered,
    plain,
    sentence,
)

__all__ = ["MAX_MESSAGE_CHARACTERS", "MAX_TITLE_CHARACTERS", "Message", "ended", "started"]

MAX_TITLE_CHARACTERS = 120
MAX_MESSAGE_CHARACTERS = 2_000

_AGAIN = "Asking again is safe: natdrain looks first, and goes on from what it finds."
_GUARDS = {rule.name for rule in RULES}
_GOOD = {"drained", "released", NOTHING_TO_DO}
_UNTOUCHED = {RequestRefused.__name__, GatewayBusy.__name__}
# Of each outcome: the title, the first sentence, and what to do next.
_ENDINGS = {
    "drained": ("{names} left {gateway}", "", ""),
    "released": ("{names} left {gateway}, given back to AWS", "", ""),
    NOTHING_TO_DO: ("nothing to do on {gateway}", "{summary}", ""),
    "refused": (
        "refused to take {names} off {gateway}",
        "natdrain refused to take {names} off {where}.",
        "Ask again when what stands in the way is mended.",
    ),
    "busy": (
        "{gateway} is busy, {names} not taken off",
        "natdrain did not take {names} off {where}, because the gateway is busy with something else.",
        "",
    ),
    "failed": (
        "the drain of {names} on {gateway} went wrong",
        "The drain of {names} on {where} went wrong.",
        _AGAIN,
    ),
    "overdue": (
        "{names} still on {gateway} after the limit",
        "The drain of {names} on {where} is overdue.",
        "EC2 alone can end it; ask again to go on watching, which is safe.",
    ),
    "release failed": (
        "{names} left {gateway}, giving back to AWS went wrong",
        "The drain on {where} is done, but giving back to AWS went wrong.",
        "Ask again when the way is clear; what is kept until then stays yours and is paid for.",
    ),
    "stopped": (
        "the drain of {names} on {gateway} was stopped",
        "The execution that was to take {names} off {where} was stopped before its end.",
        _AGAIN,
    ),
    "timed out": (
        "the drain of {names} on {gateway} timed out",
        "The execution that was to take {names} off {where} ran out of time before its end.",
        _AGAIN,
    ),
}


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one short line, `text` one paragraph."""

    title: str
    text: str


def started(request: Request, drains: Sequence[Drain]) -> Message:
    """Tell of these addresses, which newly leave."""
    where = f"the NAT gateway {request.gateway_id}"
    parts = [
        *(
            f"{listed([_called(drain) for drain in some])} {number(text, len(some))}."
            for text, some in alike(drains, lambda drain: _leaving(drain, where)).items()
        ),
        _why(request),
        (
            "New connections use the gateway's other addresses already, so let whatever must not break "
            "reconnect before then. A drain cannot be stopped."
        ),
    ]
    if request.after_drain is AfterDrain.RELEASE:
        lost = (
            f"Afterwards {ALLOCATIONS} [is|are] given back to AWS, and [the public IP is|the public IPs are] "
            f"lost for good, unless somebody puts a hold on the gateway before."
        )
        parts.append(number(lost, len(drains)))
    names = first_few([_called(drain) for drain in drains])
    title = number(f"{names} [is|are] leaving {request.gateway_id}", len(drains))
    return _message(title, [*parts, "Another message tells how it ended."], where)


def ended(request: Request | None, outcome: Outcome, *, execution: str) -> Message:
    """Tell how an execution ended; `execution` is its ARN."""
    title, first, next_step = _ENDINGS[outcome.name]
    if outcome.name in _GOOD and outcome.changed == "none" and outcome.addresses:
        title = "{names} had left {gateway} before"
    where = f"the NAT gateway {outcome.gateway_id}" if outcome.gateway_id else "a NAT gateway"
    names = [name(row["PublicIp"], row["PrivateIp"], row["AllocationId"]) for row in outcome.addresses]
    names = names or _named(request)
    parts = [first.format(names=listed(names), where=where, summary=plain(outcome.summary))]
    if outcome.error not in _UNTOUCHED:
        parts += of_addresses(request, outcome.addresses, where)
    parts += [_of_changes(outcome), _why(request), next_step]
    parts += numbered("Why", "There are {count} reasons", outcome.problems)
    warned = [text for text in outcome.warnings if text.split(":")[0] in _GUARDS]
    parts += numbered("Be warned", "There are {count} warnings", warned)
    if outcome.name not in _GOOD:
        parts.append(f"The execution is {execution.rsplit(':', 1)[-1]}.")
    return _message(
        title.format(names=first_few(names), gateway=outcome.gateway_id or "a NAT gateway"),
        parts,
        where,
        # A line is the command for one zone.
        f"To put back what has left: {'; '.join(outcome.put_back.splitlines())}" if outcome.put_back else "",
    )


def _message(title: str, parts: Sequence[str], where: str, put_back: str = "") -> Message:
    before, named, after = " ".join(part for part in parts if part).partition(where)
    # Once is enough for a gateway's full name.
    text = cut(
        before + named + after.replace(where, "the gateway"), MAX_MESSAGE_CHARACTERS - len(put_back) - 1
    )
    return Message(cut(f"natdrain: {title}", MAX_TITLE_CHARACTERS), f"{text} {put_back}".strip(" ;"))


def _called(drain: Drain) -> str:
    return name(drain.public_ip, drain.private_ip, drain.allocation_id)


def _named(request: Request | None) -> list[str]:
    if request is None:
        return ["an address"]
    return [*(request.public_ips or request.allocation_ids or request.association_ids)]


def _leaving(drain: Drain, where: str) -> str:
    begun = f"[is|are] {'already ' if drain.adopted else ''}leaving {where}"
    if drain.limit_at:
        return f"{begun}: [it leaves|they leave] {by_at_the_latest(drain.limit_at, drain.requested_at)}"
    since = drain.draining_seen_at or drain.since_at
    longest = at(since + timedelta(seconds=MAX_DRAIN_LIMIT_SECONDS), since)
    who = "EC2's answer to natdrain got lost" if drain.asked_by else "natdrain did not ask for it"
    return (
        f"{begun}; {who}, and EC2 does not tell the limit, but the longest one that it accepts ends at "
        f"{longest}"
    )


def _why(request: Request | None) -> str:
    if request is None:
        return ""
    reason = cut(plain(request.reason or "no reason is given"))
    if request.trigger is None:
        return sentence(f"It was asked for by hand: {reason}")
    named = plain(request.trigger.name)
    # An alarm's request names the alarm in its reason too.
    return sentence(
        f"It was asked for by the {request.trigger.kind} {named}: {reason.removeprefix(f'alarm {named}: ')}"
    )


def _of_changes(outcome: Outcome) -> str:
    if outcome.name in _GOOD:
        return ""
    if outcome.error in _UNTOUCHED:
        return "Nothing was changed, and nothing was cut."
    if outcome.changed == "none":
        return "Nothing was changed by this."
    if outcome.changed == "unknown" and not outcome.addresses:
        return "Nobody can say what was asked of EC2, and what it has accepted goes on: look at the gateway."
    return ""
