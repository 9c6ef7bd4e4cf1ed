from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.intake.request import parse_request
from natdrain.model.errors import RequestRefused
from natdrain.model.request import Request, Trigger, TriggerKind
from support.builders import GATEWAY, allocation, association, sample

GOOD = {"NatGatewayId": GATEWAY, "AssociationIds": [association("a")]}


def problems_of(document: object) -> list[str]:
    with pytest.raises(RequestRefused) as refused:
        parse_request(document)
    return str(refused.value).splitlines()


def test_request_reads_ec2s_own_request() -> None:
    request = parse_request(sample("request.manual.json"))
    assert request == Request(
        gateway_id="nat-1234567890abcdef0", association_ids=("eipassoc-0f96bdca17e8a3b10",), limit_seconds=350
    )


def test_request_takes_ec2s_default_limit_when_none_is_given() -> None:
    assert parse_request(GOOD).limit_seconds == 350


def test_request_needs_no_gateway_when_public_ips_are_named() -> None:
    assert parse_request({"PublicIps": ["203.0.113.7"]}).gateway_id is None


def test_request_takes_as_much_as_its_bounds_allow() -> None:
    trigger = {"Kind": "schedule", "Name": "x" * 300, "At": "x"}
    full = {"AssociationIds": [association(c) for c in "01234567"], "Reason": "x" * 500, "Trigger": trigger}
    request = parse_request(GOOD | full)
    assert (len(request.association_ids), len(request.reason or "")) == (8, 500)


@pytest.mark.parametrize("limit", [1, 350, 4000])
def test_request_takes_every_limit_that_ec2_takes(limit: int) -> None:
    assert parse_request(GOOD | {"MaxDrainDurationSeconds": limit}).limit_seconds == limit


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "The input must be a JSON object"),
        ("nat-1", "The input must be a JSON object"),
        (None, "The input must be a JSON object"),
        ({"AssociationIds": [association("a")]}, "NatGatewayId is missing"),
        ({"AllocationIds": [allocation("a")]}, "NatGatewayId is missing"),
        ({"NatGatewayId": GATEWAY}, "No address is named"),
        (GOOD | {"NatGatewayId": "nat-xyz"}, "NatGatewayId must look like nat-"),
        (GOOD | {"NatGatewayId": None}, "NatGatewayId must look like nat-"),
        (GOOD | {"NatGatewayId": f"{GATEWAY}\n"}, "NatGatewayId must look like nat-"),
        (GOOD | {"AssociationIds": []}, "AssociationIds must name at least one address; the list is empty."),
        (GOOD | {"AssociationIds": association("a")}, "AssociationIds must be a list"),
        (GOOD | {"AssociationIds": [allocation("a")]}, "AssociationIds must look like eipassoc-"),
        (GOOD | {"AssociationIds": [7]}, "AssociationIds must look like eipassoc-"),
        (GOOD | {"AssociationIds": [{}, {}]}, "AssociationIds must look like eipassoc-"),
        (GOOD | {"AssociationIds": [association(c) for c in "0123456"] + ["x"]}, "eipassoc-"),
        (GOOD | {"AssociationIds": [association("a")] * 2}, "more than once"),
        (
            GOOD | {"AssociationIds": [association(c) for c in "012345678"]},
            "names 9 addresses; one request takes at most 8.",
        ),
        (GOOD | {"AllocationIds": ["eipalloc-1"]}, "AllocationIds must look like eipalloc-"),
        (GOOD | {"PublicIps": ["10.0.0"]}, "PublicIps must be an IPv4 address"),
        (GOOD | {"PublicIps": ["2001:db8::1"]}, "PublicIps must be an IPv4 address"),
        (GOOD | {"PublicIps": [3405803783]}, "PublicIps must be an IPv4 address"),
        (GOOD | {"MaxDrainDurationSeconds": 0}, "whole number of seconds from 1 to 4000, not 0."),
        (GOOD | {"MaxDrainDurationSeconds": 4001}, "whole number of seconds from 1 to 4000, not 4001."),
        (GOOD | {"MaxDrainDurationSeconds": "350"}, 'whole number of seconds from 1 to 4000, not "350".'),
        (GOOD | {"MaxDrainDurationSeconds": True}, "whole number of seconds from 1 to 4000, not true."),
        (GOOD | {"MaxDrainDurationSeconds": 350.5}, "whole number of seconds from 1 to 4000, not 350.5."),
        (GOOD | {"DryRun": "yes"}, 'DryRun must be true or false, not "yes".'),
        (GOOD | {"Reason": 7}, "Reason must be a text"),
        (GOOD | {"Reason": "x" * 501}, "Reason must be a text of at most 500 characters"),
        (GOOD | {"AfterDrain": "spare"}, 'AfterDrain must be "keep" or "release", not "spare".'),
        (GOOD | {"WhenBusy": True}, 'WhenBusy must be "fail" or "wait", not true.'),
        (GOOD | {"Override": "capacity"}, 'Override must be a list of guards, such as ["remaining"]; not'),
        (GOOD | {"Override": ["capacty"]}, 'Override "capacty" is no guard: what can be overridden is rem'),
        (GOOD | {"Override": ["protect"]}, 'Override "protect" cannot be overridden: what can be overridden'),
        (GOOD | {"Override": ["remaining", "hold"]}, 'Override "hold" cannot be overridden: what can'),
        (GOOD | {"Override": [{}, "hold"]}, 'Override {} is no guard; "hold" cannot be overridden: what can'),
        (GOOD | {"AssociationIDs": []}, 'Unknown field "AssociationIDs": did you mean AssociationIds?'),
        (
            GOOD | {"MaxDrainSeconds": 3},
            'Unknown field "MaxDrainSeconds": did you mean MaxDrainDurationSeconds?',
        ),
        (GOOD | {"zzz": 3}, 'Unknown field "zzz": known are NatGatewayId, '),
    ],
)
def test_request_is_refused_with_what_is_wrong(document: object, problem: str) -> None:
    (found,) = problems_of(document)
    assert problem in found


def test_request_reports_every_problem_at_once() -> None:
    found = problems_of(
        {"NatGatewayId": "x", "AssociationIds": [], "MaxDrainDurationSeconds": 0, "Dryrun": 1}
    )
    assert [line.split()[0] for line in found] == [
        "Unknown",
        "NatGatewayId",
        "AssociationIds",
        "MaxDrainDurationSeconds",
    ]


def test_request_reports_every_problem_of_a_list() -> None:
    ids = ["x", association("a"), association("a")]
    (found,) = problems_of(GOOD | {"AssociationIds": ids})
    assert 'not "x"' in found
    assert "more than once" in found


def test_request_keeps_a_problem_on_one_line_whatever_is_in_the_input() -> None:
    (found,) = problems_of(GOOD | {"a\u2028b\ud800\n": 1})
    assert '"a\\u2028b\\ud800\\n"' in found


def test_request_answers_a_huge_input_briefly() -> None:
    flood = {f"{'k' * 500}{n}": "v" * 500 for n in range(200)}
    assert len(json.dumps(problems_of(flood))) < 10_000


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_request_refuses_or_reads_whatever_json_it_is_given(document: object) -> None:
    with contextlib.suppress(RequestRefused):
        assert parse_request(document).limit_seconds in range(1, 4001)


@given(
    limit=st.integers(1, 4000),
    names=st.lists(st.sampled_from("abcdef"), min_size=1, unique=True),
    dry_run=st.booleans(),
    reason=st.none() | st.text(min_size=1, max_size=50),
)
def test_request_survives_the_way_through_the_workflow(
    limit: int, names: list[str], *, dry_run: bool, reason: str | None
) -> None:
    request = Request(
        gateway_id=GATEWAY,
        association_ids=tuple(association(name) for name in names),
        limit_seconds=limit,
        dry_run=dry_run,
        reason=reason,
    )
    assert parse_request(json.loads(json.dumps(request.to_json()))) == request


MONTHLY = {"Kind": "schedule", "Name": "monthly", "At": "2026-11-01T03:00:00Z"}


def test_request_takes_the_deployments_limit_when_none_is_given() -> None:
    assert parse_request(GOOD, default_limit_seconds=99).limit_seconds == 99


def test_request_takes_its_own_limit_whatever_the_deployment_says() -> None:
    limited = GOOD | {"MaxDrainDurationSeconds": 7}
    assert parse_request(limited, default_limit_seconds=99).limit_seconds == 7


def test_request_by_hand_has_no_trigger() -> None:
    assert (parse_request(GOOD).trigger, parse_request(GOOD).scheduled) == (None, False)


def test_request_of_a_schedule_says_so() -> None:
    request = parse_request(GOOD | {"Trigger": MONTHLY})
    assert request.trigger == Trigger(kind=TriggerKind.SCHEDULE, name="monthly", at="2026-11-01T03:00:00Z")
    assert request.scheduled


def test_request_of_an_alarm_is_not_scheduled() -> None:
    assert not parse_request(GOOD | {"Trigger": MONTHLY | {"Kind": "alarm"}}).scheduled


def test_request_with_a_trigger_survives_the_workflow() -> None:
    request = parse_request(GOOD | {"Trigger": MONTHLY})
    assert parse_request(request.to_json()) == request


@pytest.mark.parametrize(
    "trigger",
    [
        None,
        "schedule",
        {},
        MONTHLY | {"Kind": "by hand"},
        MONTHLY | {"Kind": ["alarm"]},
        MONTHLY | {"Name": ""},
        MONTHLY | {"At": 7},
        MONTHLY | {"Name": "x" * 301},
        MONTHLY | {"More": "x"},
    ],
)
def test_request_is_refused_when_its_trigger_is_none(trigger: object) -> None:
    [problem] = problems_of(GOOD | {"Trigger": trigger})
    assert problem.startswith(
        "Trigger is for alarms and schedules: it has Kind (alarm or schedule), Name and At"
    )


@pytest.mark.parametrize(("trigger", "name"), [(MONTHLY, "monthly"), ({"Kind": "alarm"}, None), (7, None)])
def test_refused_request_still_says_what_asked_if_that_is_in_order(trigger: object, name: str | None) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_request({"Trigger": trigger})
    assert (refused.value.trigger.name if refused.value.trigger else None) == name


@pytest.mark.parametrize("field", ["Reason", "Trigger"])
@pytest.mark.parametrize("half", [0xD800, 0xDFFF], ids=["first", "last"])
def test_request_is_refused_when_a_text_cannot_be_written_down(field: str, half: int) -> None:
    value = chr(half) if field == "Reason" else MONTHLY | {"Name": chr(half)}
    [problem] = problems_of(GOOD | {field: value})
    assert problem.startswith(field)
