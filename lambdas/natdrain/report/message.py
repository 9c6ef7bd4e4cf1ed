"""The message that people read when a drain begins and when it has ended: a title and one paragraph.

Plain English that reads well aloud at night: which address, why, when it leaves, what happened, whether
anything was cut if that is known, what to do next. A paragraph has no line break and neither double quotes
nor backslashes, so that it stays readable when it travels inside JSON; its commands can be pasted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from natdrain.model.conclusion import Conclusion
from natdrain.model.drain import Drain
from natdrain.model.errors import UNTOUCHED
from natdrain.model.join import Join
from natdrain.model.outcome import AddressOutcome, Changed, ExecutionOutcome
from natdrain.model.request import (
    MAX_DRAIN_LIMIT_SECONDS,
    AfterDrain,
    Direction,
    Request,
    Trigger,
    TriggerKind,
)
from natdrain.report import joins as joining
from natdrain.report import wording
from natdrain.report.result import summary
from natdrain.report.vocabulary import ADDRESSES, ending_of
from natdrain.report.ways import ec2_commands
from natdrain.report.wording import ALLOCATIONS

MAX_TITLE_CHARACTERS = 120
MAX_MESSAGE_CHARACTERS = 2_000

_AGAIN = "the gateway"
_MEANWHILE = (
    "New connections already use the gateway's other addresses: anything that must not be cut should "
    "reconnect before then. A drain cannot be stopped."
)
_STAYS = "What is in service stays there, since it carries connections."
_AS_SOON = "As soon as an address is in service, it takes new connections: partners must allow it by then."
_MISSED = "Nothing repeats an automatic start: if it is still needed, a person must act."
_LONGER_NEXT_TIME = (
    f"Next time a longer MaxDrainDurationSeconds, up to {MAX_DRAIN_LIMIT_SECONDS}, would let more of them "
    f"end by themselves."
)
_GOOD = {
    ExecutionOutcome.DRAINED,
    ExecutionOutcome.RELEASED,
    ExecutionOutcome.JOINED,
    ExecutionOutcome.NOTHING_TO_DO,
}


_One = TypeVar("_One", Drain, Join)


@dataclass(frozen=True, slots=True)
class Message:
    """`title` is one short line, `text` one paragraph."""

    title: str
    text: str


class _Where:
    """The gateway's name: in full when it is first named, then `the gateway`."""

    def __init__(self, gateway_id: str | None) -> None:
        self._next = f"the NAT gateway {gateway_id}" if gateway_id else "a NAT gateway"

    def in_(self, template: str, **values: str) -> str:
        """Fill in the template, in which `{where}` is the gateway."""
        if "{where}" not in template:
            return template.format(**values)
        where, self._next = self._next, _AGAIN
        head, _, tail = template.partition("{where}")
        return head.format(**values) + where + tail.format(where=_AGAIN, **values)


def started(request: Request, addresses: Sequence[Drain | Join]) -> Message:
    """Write the message about these addresses, which newly leave or join."""
    joins = [one for one in addresses if isinstance(one, Join)]
    if joins:
        return _joining(request, joins)
    drains = [one for one in addresses if isinstance(one, Drain)]
    where = _Where(request.gateway_id)
    parts = [*_sentences(drains, _leaving, where), *_at_stake(request, drains)]
    parts += [_why(request, request.trigger), _MEANWHILE]
    if request.after_drain is AfterDrain.RELEASE:
        lost = (
            f"Afterwards {ALLOCATIONS} [is|are] released to AWS, and [the public IP is|the public IPs are] "
            f"lost for good, unless somebody puts a hold on the gateway before."
        )
        parts.append(wording.number(lost, len(drains)))
    title = f"{wording.first_few(_names(drains))} [is|are] leaving {request.gateway_id}"
    return _message(
        wording.number(title, len(drains)), [*parts, "Another message follows when the drain has ended."]
    )


def _joining(request: Request, joins: Sequence[Join]) -> Message:
    where = _Where(request.gateway_id)
    parts = [*_sentences(joins, joining.started_sentence, where), _why(request, request.trigger), _AS_SOON]
    title = f"{wording.first_few(_names(joins))} [is|are] joining {request.gateway_id}"
    return _message(wording.number(title, len(joins)), [*parts, "Another message follows at the end."])


def _at_stake(request: Request, drains: Sequence[Drain]) -> Iterator[str]:
    """Yield how many connections may be cut: the same for all addresses of a gateway, or of a zone."""
    for text, some in wording.grouped([d for d in drains if d.share is not None], wording.stake).items():
        yield wording.sentence(str(text))
        if any(wording.would_cut_many(drain, request.limit_seconds) for drain in some):
            yield _LONGER_NEXT_TIME


def ended(request: Request | None, end: Conclusion, *, execution: str, region: str) -> Message:
    """Write the message about the end of an execution; `execution` is its ARN."""
    words = ending_of(end.outcome, end.direction)
    title = words.title
    if end.outcome in _GOOD and end.changed is Changed.NONE and end.drains:
        title = "{names} had left {gateway} before"
    elif end.outcome in _GOOD and end.changed is Changed.NONE and end.joins:
        title = "{names} had joined {gateway} before"
    elif end.outcome in _GOOD and any(drain.limit_reached and drain.ended_now for drain in end.drains):
        title = f"{title}; connections may have been cut"
    where = _Where(end.gateway_id)
    names = _names([*end.drains, *end.joins]) or _named(request)
    parts = [where.in_(words.sentence, names=wording.listed(names), summary=wording.plain(summary(end)))]
    if end.error not in UNTOUCHED:
        # First those of which connections may have been cut.
        drains = sorted(end.drains, key=lambda drain: not drain.limit_reached)
        parts += _sentences(drains, lambda drain: _became(request, drain, end.of(drain)), where)
        parts += _sentences(end.joins, lambda join: joining.sentence_of(join, end.of(join)), where)
    if end.error and AddressOutcome.JOINED in end.outcomes.values():
        parts.append(_STAYS)
    missed = end.trigger_of(request) and end.error in UNTOUCHED
    next_step = _MISSED if missed else wording.number(words.next_step, len(end.problems))
    parts += [_changes(end), _why(request, end.trigger_of(request)), next_step]
    parts += wording.numbered("Why", "There are {count} reasons", end.problems)
    warnings = [warning for warning in end.warnings if warning.guard]
    parts += wording.numbered("Warning", "There are {count} warnings", warnings)
    if end.outcome not in _GOOD:
        parts.append(f"The execution is {execution.rsplit(':', 1)[-1]}.")
    title = wording.number(title, len(names))
    title = title.format(names=wording.first_few(names), gateway=end.gateway_id or "a NAT gateway")
    commands = "; ".join(ec2_commands(end, region=region))
    undo = "To take off again what has joined" if end.joins else "To put back what has left"
    return _message(title, parts, f"{undo}: {commands}" if commands else "")


def _message(title: str, parts: Sequence[str], put_back: str = "") -> Message:
    text = wording.cut(wording.joined(*parts), MAX_MESSAGE_CHARACTERS - len(put_back) - 1)
    return Message(
        wording.cut(f"natdrain: {title}", MAX_TITLE_CHARACTERS), wording.joined(text, put_back).strip(" ;")
    )


def _names(addresses: Sequence[Drain | Join]) -> list[str]:
    return [wording.name_of(address) for address in addresses]


def _named(request: Request | None) -> list[str]:
    if request is None:
        return ["an address"]
    return [*(request.public_ips or request.allocation_ids or request.association_ids or request.names)]


def _leaving(drain: Drain) -> str:
    progress = drain.progress
    begun = f"[is|are] {'already ' if progress.adopted else ''}leaving {{where}}"
    if drain.limit_at:
        by = wording.by_at_the_latest(drain.limit_at, progress.requested_at)
        return f"{begun}: [it leaves|they leave] {by}"
    since = progress.draining_seen_at or progress.since_at
    longest = wording.at(since + timedelta(seconds=MAX_DRAIN_LIMIT_SECONDS), since)
    who = "EC2's answer to natdrain was lost" if progress.asked_by else "natdrain did not request this"
    return (
        f"{begun}; {who}, and EC2 does not show the limit; the longest one that EC2 accepts ends at {longest}"
    )


def _sentences(addresses: Sequence[_One], text_of: Callable[[_One], str], where: _Where) -> Iterator[str]:
    """Yield one sentence for all addresses that have the same text."""
    for text, some in wording.grouped(addresses, text_of).items():
        yield f"{wording.listed(_names(some))} {wording.number(where.in_(text), len(some))}."


def _became(request: Request | None, drain: Drain, outcome: AddressOutcome) -> str:
    words, progress = ADDRESSES[outcome], drain.progress
    if words.after_left:
        return f"{_left(drain)}{words.sentence}"
    if outcome is not AddressOutcome.UNKNOWN:
        return words.sentence
    if progress.gone_by:
        return f"{_left(drain)}; it is not known whether {ALLOCATIONS} [was|were] released to AWS"
    if not (progress.requested_at or progress.adopted):
        return words.sentence
    by = ""
    if request and progress.requested_at and not progress.adopted:
        limit_at = progress.requested_at + timedelta(seconds=request.limit_seconds)
        by = f": [it leaves|they leave] {wording.by_at_the_latest(limit_at, progress.requested_at)}"
    return f"[was|were] leaving {{where}} when natdrain stopped watching [it|them]{by}"


def _left(drain: Drain) -> str:
    progress = drain.progress
    by = f" by {wording.at(progress.gone_by, progress.requested_at)}" if progress.gone_by else ""
    if how_long := drain.limit_reached is not False and wording.stayed(drain):
        known = "" if drain.limit_reached else "no look shows whether [it|they] stayed to the end; "
        return (
            f"{how_long} and left {{where}}{by}: {known}EC2 cuts what is still open at the limit, and does "
            f"not say whether there was anything"
        )
    if drain.limit_reached is None:
        return f"left {{where}}{by}, and whether anything was cut is not known"
    return f"left {{where}}{by}, before [its|their] limit, so no connection was cut"


def _why(request: Request | None, trigger: Trigger | None) -> str:
    if request is None and trigger is None:
        return ""
    given = request.reason if request else None
    reason = given or "no reason is given"
    if trigger is None:
        who = "by hand"
    elif trigger.kind is TriggerKind.SCHEDULE:
        who = f"by the schedule {wording.plain(trigger.name)}"
    else:
        # The reason of an alarm's request names the alarm.
        who, reason = "automatically", given or f"alarm {trigger.name}"
    return wording.sentence(f"Requested {who}: {wording.cut(wording.plain(reason))}")


def _changes(end: Conclusion) -> str:
    if end.outcome in _GOOD:
        return ""
    if end.error in UNTOUCHED:
        joins = end.direction is Direction.JOIN
        return "Nothing was changed." if joins else "Nothing was changed, and nothing was cut."
    if end.changed is Changed.NONE:
        return "The gateway is as it was." if end.joins else "This execution changed nothing."
    if end.changed is Changed.UNKNOWN and not (end.drains or end.joins):
        return "It is not known what EC2 was asked, and what it accepted continues: look at the gateway."
    return ""
