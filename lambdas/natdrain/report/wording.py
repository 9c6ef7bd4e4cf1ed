"""The small change of every sentence: names, lists, numbers, instants, commands, other people's words."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from natdrain.contract import item_key
from natdrain.model.drain import Drain
from natdrain.model.gateway import Address
from natdrain.model.join import Join
from natdrain.model.problem import Problem
from natdrain.model.request import DEFAULT_DRAIN_LIMIT_SECONDS

_MAX_PART_CHARACTERS = 400
_MAX_NAMES = 4
_MAX_PARTS = 3
_MANY_CONNECTIONS = 100

MAX_TEXT_CHARACTERS = 1_000
"""The longest text that a field of a result has room for."""
ALLOCATIONS = "[its|their] allocation[|s]"

_MARKUP = str.maketrans("<>*~`", "\u2039\u203a\u2217\u223c'")
"""Signs that look alike and mark nothing up."""
_LINKS = {r"\]\(": "] (", "://": ": //", r" ?@ ?": " @ ", r"(?i)\bwww\.": "www .", "__": "_ _"}
"""Patterns of links and mentions, each with what is none."""

_One = TypeVar("_One")
_Key = TypeVar("_Key")


def name_of(address: Address | Drain | Join) -> str:
    """Return what people call an address: its public IP, or what there is instead."""
    return address.public_ip or address.private_ip or address.allocation_id or "an address"


def label_of(address: Address | Drain | Join) -> str:
    """Return the name of an address with its association, which no other address ever has.

    What is to join has none yet, and its allocation is shown instead.
    """
    return f"{name_of(address)} ({address.association_id or address.allocation_id})"


def eip_name(public_ip: str | None, allocation_id: str | None) -> str:
    """Return the name of an Elastic IP, wherever it is."""
    return f"{public_ip} ({allocation_id})"


def number(template: str, count: int) -> str:
    """Choose singular or plural: `[is|are]` is `is` for one and `are` for several."""
    return re.sub(r"\[([^|\]]*)\|([^\]]*)\]", r"\1" if count == 1 else r"\2", template)


def count_of(count: int, noun: str) -> str:
    """Return `1 address` or `2 addresses`."""
    return f"{count} {noun}{'' if count == 1 else 'es'}"


def at(when: datetime, start: datetime | None) -> str:
    """Return an instant as a clock shows it, with the date unless it is the day of the start."""
    date = "" if start and start.date() == when.date() else f" on {when:%Y-%m-%d}"
    return f"{when:%H:%M:%S} UTC{date}"


def by_at_the_latest(limit_at: datetime, start: datetime | None) -> str:
    """Return when an address has left, and what that means for connections."""
    return f"by {at(limit_at, start)} at the latest, when EC2 cuts what is still open"


def stayed(drain: Drain) -> str | None:
    """Return the time for which looks show that an address stayed, or None.

    It has left, and no look shows that it did so before its limit.
    """
    limit_at, last_seen_at, requested_at = (
        drain.limit_at,
        drain.progress.last_seen_at,
        drain.progress.requested_at,
    )
    if not (limit_at and last_seen_at and requested_at) or last_seen_at <= requested_at:
        return None
    limit_seconds = drain.progress.limit_seconds
    if drain.limit_reached:
        late = (last_seen_at - limit_at).total_seconds()
        return f"[was|were] still there {late:.0f} s after [its|their] limit of {limit_seconds} s"
    # EC2 accepted during the call, so that a look just after our limit proves no more than the limit.
    seconds = (min(last_seen_at, limit_at) - requested_at).total_seconds()
    return f"stayed at least until {seconds:.0f} of {limit_seconds} s"


def stake(drain: Drain) -> str | None:
    """Return how many connections a drain may cut, as an estimate; None if CloudWatch did not tell."""
    if drain.share is None:
        return None
    where = "Its zone" if drain.zone else "The gateway"
    share = f"an even share of each address in service would be {drain.share:,}, which is an estimate"
    return f"{where} had {drain.progress.connections:,} connections at the last count, and {share}"


def would_cut_many(drain: Drain, limit_seconds: int) -> bool:
    """Return True if a longer limit is worth a thought."""
    return (drain.share or 0) >= _MANY_CONNECTIONS and limit_seconds <= DEFAULT_DRAIN_LIMIT_SECONDS


def listed(names: Sequence[str]) -> str:
    """Return `a, b and c`; of many only the first."""
    if len(names) > _MAX_NAMES:
        names = [*names[: _MAX_NAMES - 1], f"{len(names) - _MAX_NAMES + 1} more"]
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def first_few(names: Sequence[str]) -> str:
    """Return as many names as a title has room for."""
    return listed(names) if len(names) < _MAX_PARTS else f"{len(names)} addresses"


def one_line(text: str) -> str:
    """Return the text in one line, without what spoils JSON."""
    text = " ".join(text.split()).translate({ord('"'): "'", ord("\\"): "/"})
    return "".join(character for character in text if character.isprintable())


def plain(text: str) -> str:
    """Return words of others in one line, without what mail or chat takes for a link, a mention or markup.

    Commands of natdrain hold none of it, and so stay as they are. Slack developer documentation, formatting
    message text; CommonMark.
    """
    text = one_line(text).translate(_MARKUP)
    for pattern, instead in _LINKS.items():
        text = re.sub(pattern, instead, text)
    return text.strip()


def cut(text: str, most: int = _MAX_PART_CHARACTERS) -> str:
    """Return at most so many characters of the text."""
    return text if len(text) <= most else f"{text[: most - 3].rstrip()}..."


def joined(*parts: str | None) -> str:
    """Return the parts that there are, as one text."""
    return " ".join(part for part in parts if part)


def sentence(text: str) -> str:
    """Return the text with a full stop."""
    return text if text.endswith((".", "!", "?", ";")) else f"{text}."


def numbered(one: str, several: str, problems: Sequence[Problem]) -> list[str]:
    """Return the problems as one sentence under a heading for one or for several, of many only the first."""
    shown = [(cut(_shown(problem)), _ends_in_command(problem)) for problem in problems[:_MAX_PARTS]]
    if len(problems) <= 1:
        return [_closed(f"{one}: {text}", command=command) for text, command in shown]
    parts = [f"({place}) {_unended(text)}" for place, (text, _) in enumerate(shown, 1)]
    command = shown[-1][1]
    if more := len(problems) - len(shown):
        parts.append(f"and {more} more")
        command = False
    return [_closed(f"{several.format(count=len(problems))}: {'; '.join(parts)}", command=command)]


def _shown(problem: Problem) -> str:
    """Return a problem in one line; only its text, and not the way to fix it, has words of others."""
    return joined(plain(str(replace(problem, fix=None))), problem.fix and one_line(problem.fix))


def _ends_in_command(problem: Problem) -> bool:
    """Return True if the way to fix it is a command, which no full stop ends."""
    return problem.fix is not None and not problem.fix.endswith(".")


def _closed(text: str, *, command: bool) -> str:
    """Return the text with a full stop; after a command with a semicolon, which a shell forgives."""
    return f"{text};" if command and not text.endswith("...") else sentence(text)


def _unended(text: str) -> str:
    return text if text.endswith("...") else text.removesuffix(".")


def grouped(some: Sequence[_One], by: Callable[[_One], _Key]) -> dict[_Key, list[_One]]:
    """Group items by key, keeping their order."""
    groups: dict[_Key, list[_One]] = {}
    for one in some:
        groups.setdefault(by(one), []).append(one)
    return groups


def delete_item(table: str, partition: str, record: str) -> str:
    """Return the command that deletes an item of the table."""
    return f"aws dynamodb delete-item --table-name {table} --key {item_key(partition, record)}"


def overridden(warning: Problem) -> Problem:
    """Return what a request overrides, marked so."""
    return replace(warning, text=joined(warning.text, warning.fix, "(Overridden.)"), fix=None)


def way_on(override: str, *, automatic: bool, by_hand_warns: bool) -> str:
    """Return how a request lifts a guard."""
    if automatic and by_hand_warns:
        return f"To go on all the same: start it by hand, where it only warns. A schedule needs {override}."
    where = ", in a request by hand or of a schedule" if automatic else ""
    return f"To go on all the same: {override}{where}."
