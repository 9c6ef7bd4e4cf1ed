"""What people read, compared with files that a person has read aloud; `told` says how to write them anew."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natdrain.change.conclude import _WORDS, ENDS_WITHOUT_CLOSE, NOTHING_TO_DO, Failure
from natdrain.intake.request import MAX_REASON_CHARACTERS, Request, Trigger, TriggerKind
from natdrain.model.drain import AddressOutcome
from natdrain.report.message import _ENDINGS, MAX_MESSAGE_CHARACTERS, MAX_TITLE_CHARACTERS
from support.builders import GATEWAY, allocation, association
from support.told import BY_HAND, CASES, MESSAGES, after, drain, end, left, shown, start

ZONED = [left(name, zone=f"use1-az{int(name, 16)}") for name in "1234567a"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_REASON_CHARACTERS)


def readable(detail: dict[str, Any]) -> bool:
    """One line each, of bounded length, with nothing that JSON must escape."""
    title, text = detail["Title"], detail["Message"]
    return (
        len(title) <= MAX_TITLE_CHARACTERS
        and len(text) <= MAX_MESSAGE_CHARACTERS
        and re.search(r'["\\]', title + text) is None
        and (title + text).isprintable()
    )


@pytest.mark.parametrize("case", CASES)
def test_message_reads_as_reviewed(case: str) -> None:
    assert shown(CASES[case]) == (MESSAGES / f"{case.replace(' ', '-')}.txt").read_text()


def test_message_files_are_those_of_the_cases() -> None:
    assert {path.stem for path in MESSAGES.iterdir()} == {case.replace(" ", "-") for case in CASES}


def test_message_is_ready_for_every_outcome_that_is_told() -> None:
    names = {*_WORDS.values(), *ENDS_WITHOUT_CLOSE.values(), NOTHING_TO_DO, "drained", "released"}
    assert set(_ENDINGS) == names
    assert {detail["Outcome"] for detail in CASES.values() if "Outcome" in detail} == names


@pytest.mark.parametrize("case", CASES)
def test_message_is_one_paragraph_that_json_need_not_escape(case: str) -> None:
    assert readable(CASES[case])


@settings(deadline=None)
@given(reason=ANY_TEXT, name=ANY_TEXT, detail=ANY_TEXT)
def test_message_stays_readable_whatever_others_have_written(reason: str, name: str, detail: str) -> None:
    asked = replace(BY_HAND, reason=reason, trigger=Trigger(kind=TriggerKind.ALARM, name=name, at="now"))
    failed = drain("a", outcome=AddressOutcome.FAILED, detail=detail)
    told = Failure(error="RequestRefused", message=f"{detail}\n" * 25)
    assert readable(start(asked, drain("a")))
    assert readable(end(asked, failed))
    assert readable(end(None, failure=told))


def test_message_ends_with_the_commands_that_put_back_however_long_the_rest() -> None:
    failed = drain("b", outcome=AddressOutcome.FAILED, detail="x" * 1_000)
    warned = ["owner: " + "y" * 1_000] * 5
    detail = end(replace(BY_HAND, reason="z" * MAX_REASON_CHARACTERS), *ZONED, failed, told=warned)
    assert detail["PutBack"] is not None
    assert detail["Message"].endswith("; ".join(detail["PutBack"].splitlines()))
    assert readable(detail)


@pytest.mark.parametrize("case", CASES)
def test_command_to_put_back_is_told_as_the_result_has_it(case: str) -> None:
    if put_back := CASES[case].get("PutBack"):
        assert CASES[case]["Message"].endswith(put_back.replace("\n", "; "))
    else:
        assert "To put back" not in CASES[case]["Message"]


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith(("refused", "busy"))])
def test_message_of_a_refusal_says_that_nothing_was_changed(case: str) -> None:
    assert "Nothing was changed, and nothing was cut." in CASES[case]["Message"]


@pytest.mark.parametrize(
    ("limit_reached", "says"),
    [
        ({"gone_by": after(300)}, "so no connection was cut"),
        ({"last_seen_at": after(357), "gone_by": after(366)}, "EC2 cuts what is still open then"),
        ({"last_seen_at": after(181), "gone_by": after(366)}, "whether anything was cut cannot be told"),
    ],
)
def test_message_claims_of_cuts_no_more_than_the_looks_prove(limit_reached: Any, says: str) -> None:
    said = {"so no connection was cut", "EC2 cuts what is still open then", "whether anything was cut cannot"}
    text = end(BY_HAND, left("a", **limit_reached))["Message"]
    assert says in text
    assert sum(one in text for one in said) == 1


def test_message_names_its_addresses_by_public_ip_else_as_they_were_asked_for() -> None:
    stopped = {"failure": Failure(error="ABORTED", message="stopped."), "status": "ABORTED"}
    by_allocation = Request(gateway_id=GATEWAY, allocation_ids=(allocation("a"),))
    assert drain("a").public_ip in end(by_allocation, drain("a"), **stopped)["Title"]
    assert allocation("a") in end(by_allocation, **stopped)["Title"]


def test_message_leaves_out_the_associations_that_follow_public_ips() -> None:
    failed = drain("a", outcome=AddressOutcome.FAILED, detail="no luck")
    detail = end(BY_HAND, failed)
    assert association("a") in detail["Problems"][0]
    assert association("a") not in detail["Message"]
