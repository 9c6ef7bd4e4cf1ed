"""The messages for people, held against files that somebody has read aloud; `support.endings` writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natdrain.model.outcome import AddressOutcome
from natdrain.model.problem import Problem
from natdrain.model.request import MAX_REASON_CHARACTERS, Request, Trigger, TriggerKind
from natdrain.report.message import MAX_MESSAGE_CHARACTERS, MAX_TITLE_CHARACTERS
from natdrain.report.vocabulary import ENDINGS
from support.builders import GATEWAY, allocation, association
from support.endings import (
    BY_HAND,
    CASES,
    MESSAGES,
    REGION,
    STOPPED,
    after,
    asked,
    end,
    failing,
    left,
    shown,
    start,
)

ZONED = [left(name, zone=f"use1-az{int(name, 16)}") for name in "1234567a"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_REASON_CHARACTERS)


def readable(detail: dict[str, Any]) -> bool:
    """One line each, of bounded length, with nothing that JSON must escape, and neither markup nor links."""
    title, text = detail["Title"], detail["Message"]
    return (
        len(title) <= MAX_TITLE_CHARACTERS
        and len(text) <= MAX_MESSAGE_CHARACTERS
        and re.search(r'["\\<>*~`]|\]\(|://', title + text) is None
        and (title + text).isprintable()
    )


@pytest.mark.parametrize("case", CASES)
def test_message_reads_as_reviewed(case: str) -> None:
    assert shown(CASES[case]) == (MESSAGES / f"{case.replace(' ', '-')}.txt").read_text()


def test_message_files_are_those_of_the_cases() -> None:
    assert {path.stem for path in MESSAGES.iterdir()} == {case.replace(" ", "-") for case in CASES}


def test_message_is_reviewed_for_every_outcome_that_is_published() -> None:
    assert {detail["Outcome"] for detail in CASES.values() if "Outcome" in detail} == set(ENDINGS)


@pytest.mark.parametrize("case", CASES)
def test_message_is_one_paragraph_that_json_need_not_escape(case: str) -> None:
    assert readable(CASES[case])


@settings(deadline=None)
@given(kind=st.sampled_from(TriggerKind), reason=ANY_TEXT, name=ANY_TEXT, detail=ANY_TEXT)
def test_message_stays_readable_whatever_others_have_written(
    kind: TriggerKind, reason: str, name: str, detail: str
) -> None:
    request = replace(BY_HAND, reason=reason, trigger=Trigger(kind=kind, name=name, at="now"))
    failed = asked("a", outcome=AddressOutcome.FAILED, detail=detail)
    assert readable(start(request, asked("a")))
    assert readable(end(request, failed))
    assert readable(end(None, failure=failing("RequestRefused", *[detail] * 25)))


def test_message_ends_with_the_commands_that_put_back_however_long_the_rest() -> None:
    failed = asked("b", outcome=AddressOutcome.FAILED, detail="x" * 1_000)
    warned = [Problem(guard="owner", text="y" * 1_000)] * 5
    detail = end(replace(BY_HAND, reason="z" * MAX_REASON_CHARACTERS), *ZONED, failed, warnings=warned)
    assert detail["Message"].endswith("; ".join(commands(detail["PutBack"]["Request"])))
    assert readable(detail)


def commands(put_back: Mapping[str, Any]) -> list[str]:
    """Return EC2's own commands for a request that puts back: they have no quotation marks."""
    gateway = f"--region {REGION} --nat-gateway-id {put_back['NatGatewayId']}"
    if leave := put_back.get("AssociationIds"):
        return [f"aws ec2 disassociate-nat-gateway-address {gateway} --association-ids {' '.join(leave)}"]
    zones = [call.get("AvailabilityZoneId") for call in put_back["Associate"]]
    return [
        f"aws ec2 associate-nat-gateway-address {gateway}{f' --availability-zone-id {zone}' if zone else ''} "
        f"--allocation-ids {' '.join(call['AllocationIds'])}"
        for zone, call in zip(zones, put_back["Associate"], strict=True)
    ]


@pytest.mark.parametrize("case", CASES)
def test_commands_that_put_back_do_what_the_result_says(case: str) -> None:
    if put_back := CASES[case].get("PutBack"):
        assert CASES[case]["Message"].endswith("; ".join(commands(put_back["Request"])))
    else:
        assert "To put back" not in CASES[case]["Message"]
        assert "To take off again" not in CASES[case]["Message"]


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith(("refused", "busy"))])
def test_message_of_a_refusal_says_that_nothing_was_changed(case: str) -> None:
    assert "Nothing was changed, and nothing was cut." in CASES[case]["Message"]


@pytest.mark.parametrize(
    ("limit_reached", "says"),
    [
        ({"gone_by": after(300)}, "so no connection was cut"),
        ({"last_seen_at": after(353), "gone_by": after(363)}, "still there 3 s after its limit of 350 s"),
        ({"last_seen_at": after(347), "gone_by": after(353)}, "stayed at least until 347 of 350 s"),
        ({"last_seen_at": None, "gone_by": after(366)}, "whether anything was cut is not known"),
    ],
)
def test_message_claims_of_cuts_no_more_than_the_looks_prove(limit_reached: Any, says: str) -> None:
    said = {"so no connection was cut", "still there 3 s", "stayed at least", "whether anything was cut is"}
    text = end(BY_HAND, left("a", **limit_reached))["Message"]
    assert says in text
    assert sum(one in text for one in said) == 1


def test_message_names_its_addresses_by_public_ip_else_as_they_were_asked_for() -> None:
    by_allocation = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),))
    assert asked("a").public_ip in end(by_allocation, asked("a"), **STOPPED)["Title"]
    assert allocation("a") in end(by_allocation, **STOPPED)["Title"]


def test_message_leaves_out_the_associations_that_follow_public_ips() -> None:
    failed = asked("a", outcome=AddressOutcome.FAILED, detail="no luck")
    detail = end(BY_HAND, failed)
    assert detail["Problems"][0]["Subject"] == association("a")
    assert association("a") not in detail["Message"]


def test_message_of_an_alarm_names_it_also_without_a_reason() -> None:
    alarm = Trigger(kind=TriggerKind.ALARM, name="EgressIpBlocked", at="now")
    detail = end(replace(BY_HAND, reason=None, trigger=alarm), left("a"))
    assert "Requested automatically: alarm EgressIpBlocked." in detail["Message"]


def test_message_and_event_of_an_alarm_name_it_also_without_a_request() -> None:
    alarm = Trigger(kind=TriggerKind.ALARM, name="EgressIpBlocked", at="now")
    detail = end(None, failure=replace(failing("RequestRefused", "no"), trigger=alarm))
    assert "Requested automatically: alarm EgressIpBlocked." in detail["Message"]
    assert detail["Trigger"] == alarm.to_json()
