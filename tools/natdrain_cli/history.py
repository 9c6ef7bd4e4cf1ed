"""The history of a deployment, which says who had which address when: `make history ARGS="--ip 203.0.113.7"`.

docs/history.md has the same queries for the AWS CLI.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Column, Table

from natdrain.contract import GatewayRecord as R
from natdrain.history.entries import ENDED, OUTSIDE
from natdrain.history.periods import Period, periods
from natdrain.model.instants import timestamp

STACK = "Natdrain"
WIDE = 200
Entry = Mapping[str, Any]


def of_gateway(table: Any, gateway_id: str) -> list[Entry]:
    """Return the history of a gateway, in order."""
    return _all(table, Key(R.GATEWAY).eq(gateway_id) & Key(R.SORT).begins_with(R.HISTORY))


def of_public_ip(table: Any, public_ip: str) -> list[Entry]:
    """Return the history of a public IP on all gateways, in order."""
    key = Key(R.PUBLIC_IP).eq(public_ip) & Key(R.SORT).begins_with(R.HISTORY)
    return _all(table, key, IndexName=R.BY_PUBLIC_IP)


def _all(table: Any, key: Any, **more: Any) -> list[Entry]:
    pages = table.meta.client.get_paginator("query")
    found = pages.paginate(TableName=table.name, KeyConditionExpression=key, **more)
    return list(found.build_full_result()["Items"])


def who_had(public_ip: str, at: datetime, entries: Sequence[Entry]) -> str:
    """Return which gateway a public IP served at an instant, by all of its history, which is not empty."""
    when = timestamp(at)
    in_order = sorted(periods(entries), key=lambda period: period.seen_from)
    began = [period for period in in_order if period.seen_from <= when]
    later = in_order[len(began) :]
    if not began:
        return f"At {when} {_before(later[0], public_ip, when)}."
    answer = f"At {when} {public_ip} {_since(began[-1], when)}."
    until = began[-1].seen_until
    if later and until and until < when and (later[0].absent_at or "") < when:
        answer += f" It {_perhaps(later[0])}."
    return answer


def _since(period: Period, when: str) -> str:
    """Return what is known of an instant after the period began, and before another one did."""
    gateway, left, until = _gateway(period), period.left, period.seen_until
    if left is None or until is None:
        return f"was on {gateway}, as far as natdrain has looked since"
    if when <= until:
        return f"was on {gateway}"
    if period.failed:
        if when >= left["At"]:
            return f"was out of service: it had failed on {gateway} by {left['At']}"
        seen = f"it was last seen in service on {gateway} at {until}, and had failed by {left['At']}"
        return f"may have been out of service already: {seen}"
    if when >= left["At"]:
        return f"was on no gateway that is known: it had left {gateway} by {left['At']}"
    return f"may have left {gateway} already: it was last seen there at {until}, and gone by {left['At']}"


def _before(period: Period, public_ip: str, when: str) -> str:
    """Return what is known of an instant before the first period of all began."""
    gateway, absent_at = _gateway(period), period.absent_at
    if absent_at is None:
        return f"nobody had looked yet: natdrain first saw {public_ip} at {period.seen_from}, on {gateway}"
    if when <= absent_at:
        seen = f"{gateway} did not have it at {absent_at}, and had it at {period.seen_from}"
        return f"natdrain had not seen {public_ip} yet: {seen}"
    return f"{public_ip} {_perhaps(period)}"


def _perhaps(period: Period) -> str:
    absent = (
        f"it was not in service there at {period.absent_at}"
        if period.absent_at
        else "nobody had looked before"
    )
    return (
        f"may have been on {_gateway(period)} already: {absent}, and it was seen there at {period.seen_from}"
    )


def _gateway(period: Period) -> str:
    named = period.entry
    return f"{named[R.GATEWAY]} ({named['AllocationId']}, {named['AssociationId']})"


def show(entries: Sequence[Entry], console: Console) -> None:
    """Print periods in service, and executions."""
    served = _table(console, "In service", "address", "in service", "ended by")
    for period in periods(entries):
        left, named = period.left, period.entry
        ended_by = [str(left["By"]).rpartition(":")[2], _why_left(left)] if left else []
        served.add_row(
            f"{named.get(R.PUBLIC_IP, named['AssociationId'])} on {named[R.GATEWAY]}",
            f"{_from(period)}{_associated(period)}, {_until(period)}",
            ", ".join(filter(None, ended_by)),
        )
    ended = _table(console, "Executions", "ended", "asked by", "what happened")
    for entry in (entry for entry in entries if entry["Event"] == ENDED):
        name = str(entry[R.EXECUTION]).rpartition(":")[2]
        ended.add_row(f"{entry['At']} as {entry['Outcome']}, {name}", _why(entry), entry["Summary"])
    console.print(served)
    if ended.row_count:
        console.print(ended)


def _table(console: Console, title: str, *columns: str) -> Table:
    """Return a table that shows all of each cell, on several lines if it must."""
    folding = (Column(name, overflow="fold") for name in columns)
    return Table(*folding, title=title, show_lines=console.width < WIDE)


def _from(period: Period) -> str:
    if period.first is None:
        return "from an unknown instant"
    after = period.absent_at
    return f"from {period.seen_from} (not yet at {after})" if after else f"from {period.seen_from} or before"


def _associated(period: Period) -> str:
    """Return who has associated it, if natdrain did."""
    by = str(period.first.get("By", OUTSIDE)) if period.first else OUTSIDE
    if period.first is None or by == OUTSIDE:
        return ""
    return f", associated by {', '.join([by.rpartition(':')[2], _why(period.first)])}"


def _until(period: Period) -> str:
    if (left := period.left) is None:
        return "still there when last looked"
    there = "failed by then; in service" if period.failed else "still there"
    seen = f" ({there} at {left['LastSeenAt']})" if "LastSeenAt" in left else ""
    return f"until {left['At']}{seen}"


def _why_left(left: Entry | None) -> str:
    """Return who asked for it and why, if that is known: entries of earlier versions may not say it."""
    known = left and (left["By"] == left[R.EXECUTION] or R.REASON in left or "Trigger" in left)
    return _why(left) if left and known else ""


def _why(entry: Entry) -> str:
    trigger = entry.get("Trigger")
    asked = f"{trigger['Kind']} {trigger['Name']}" if trigger else "by hand"
    reason = str(entry.get(R.REASON, ""))
    # The reason of an alarm's request names the alarm.
    return reason if reason.startswith(f"{asked}: ") else ": ".join(filter(None, [asked, reason]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question; the exit status is 0, or 1 when AWS does not let it, or 2 for a bad question."""
    parser = argparse.ArgumentParser(prog="make history ARGS=...", description="Who had which address when.")
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--gateway", metavar="nat-ID", help="the history of a NAT gateway")
    asked.add_argument("--ip", metavar="A.B.C.D", help="the history of a public IP")
    parser.add_argument("--at", type=_instant, help="with --ip: who had it then, such as 2027-03-03T14:00Z")
    parser.add_argument("--stack", default=STACK, help="name of the stack (%(default)s)")
    parser.add_argument("--json", action="store_true", help="the entries as they stand, one JSON text a line")
    options = parser.parse_args(arguments)
    if options.at and not options.ip:
        parser.error("--at needs --ip")
    try:
        entries = _entries(options)
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"{error}\nName region and credentials as for the AWS CLI.\n")
        return 1
    if options.json:
        sys.stdout.writelines(json.dumps(entry, default=int, sort_keys=True) + "\n" for entry in entries)
    elif not entries:
        sys.stdout.write(f"natdrain has seen nothing of {options.gateway or options.ip} yet.\n")
    elif options.at:
        sys.stdout.write(who_had(options.ip, options.at, entries) + "\n")
    else:
        show(entries, _console())
    return 0


def _console() -> Console:
    # A file or a pipe has no width of its own; rich would take that of the terminal around it.
    wide = not (sys.stdout.isatty() or "COLUMNS" in os.environ)
    return Console(markup=False, width=WIDE if wide else None)


def _entries(options: argparse.Namespace) -> list[Entry]:
    [stack] = boto3.client("cloudformation").describe_stacks(StackName=options.stack)["Stacks"]
    [name] = [out["OutputValue"] for out in stack["Outputs"] if out["OutputKey"] == "TableName"]
    table = boto3.resource("dynamodb").Table(name)
    if options.gateway:
        return of_gateway(table, options.gateway)
    return of_public_ip(table, options.ip)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no instant: write it like 2027-03-03T14:00Z"
        ) from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone: add Z for UTC")
    return at.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
