from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natdrain.intake.request import parse_request
from natdrain.model.errors import RequestRefused
from natdrain.model.request import Association, Direction, Request, Trigger, TriggerKind
from support.builders import GATEWAY, allocation, association, ip, sample

GOOD = {"NatGatewayId": GATEWAY, "AssociationIds": [association("a")]}


def allocations(names: str) -> list[str]:
    return [allocation(name) for name in names]


def joining(*calls: object) -> dict[str, Any]:
    """Return a request with these calls of EC2's AssociateNatGatewayAddress."""
    return {"NatGatewayId": GATEWAY, "Associate": [*calls]}


def leaving(**disassociate: object) -> dict[str, Any]:
    return {"NatGatewayId": GATEWAY, "Disassociate": disassociate}


def call(names: str, **more: object) -> dict[str, Any]:
    return {"AllocationIds": allocations(names), **more}


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
        ({"Disassociate": {"AllocationIds": [allocation("a")]}}, "NatGatewayId is missing"),
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
        (
            GOOD | {"Disassociate": {"AllocationIds": ["eipalloc-1"]}},
            "AllocationIds must look like eipalloc-",
        ),
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
        (GOOD | {"Override": "capacity"}, 'Override must be a list of guards, such as ["room"]; not'),
        (GOOD | {"Override": ["capacty"]}, 'Override "capacty" is no guard: what can be overridden is roo'),
        (GOOD | {"Override": ["protect"]}, 'Override "protect" cannot be overridden: what can be overridden'),
        (GOOD | {"Override": ["remaining", "hold"]}, 'Override "hold" cannot be overridden: what can'),
        (GOOD | {"Override": [{}, "hold"]}, 'Override {} is no guard; "hold" cannot be overridden: what can'),
        (GOOD | {"AssociationIDs": []}, 'Unknown field "AssociationIDs": did you mean AssociationIds?'),
        (
            GOOD | {"MaxDrainSeconds": 3},
            'Unknown field "MaxDrainSeconds": did you mean MaxDrainDurationSeconds?',
        ),
        (GOOD | {"zzz": 3}, 'Unknown field "zzz": known are NatGatewayId, '),
        (GOOD | {"AllocationIDs": []}, 'Unknown field "AllocationIDs": did you mean AllocationIds?'),
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


# Allocations that are to join


def test_request_reads_calls_of_ec2s_associate() -> None:
    zonal, regional = call("ab", PrivateIpAddresses=["10.0.0.7", "10.0.0.8"]), call("c")
    request = parse_request(joining(zonal, regional | {"AvailabilityZoneId": "use1-az1"}))
    assert request.associate == (
        Association(allocation_ids=(allocation("a"), allocation("b")), private_ips=("10.0.0.7", "10.0.0.8")),
        Association(allocation_ids=(allocation("c"),), zone_id="use1-az1"),
    )
    assert (request.direction, request.names) == (Direction.JOIN, tuple(allocations("abc")))


def test_request_reads_a_zone_by_its_name() -> None:
    [asked] = parse_request(joining(call("a", AvailabilityZone="us-west-2-lax-1a"))).associate
    assert (asked.zone_name, asked.zone_id, asked.zone) == ("us-west-2-lax-1a", None, "us-west-2-lax-1a")


@pytest.mark.parametrize(
    "calls", [[call("01234567")], [call(name) for name in "01234567"]], ids=["one", "many"]
)
def test_request_takes_as_many_allocations_as_a_gateway_can_have(calls: list[object]) -> None:
    assert len(parse_request(joining(*calls)).names) == 8


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ([], 'Associate must be a list such as [{"AllocationIds": ["eipalloc-..."]}], not [].'),
        ([allocation("a")], f'Associate [0] must be an object with AllocationIds, not "{allocation("a")}".'),
        ([None], "Associate [0] must be an object with AllocationIds, not null."),
        ([{}], "Associate [0] lacks AllocationIds."),
        ([{"PrivateIpAddresses": ["10.0.0.7"]}], "Associate [0] lacks AllocationIds."),
        ([call("")], "Associate [0] AllocationIds must name at least one address; the list is empty."),
        ([{"AllocationIds": allocation("a")}], "Associate [0] AllocationIds must be a list, not"),
        ([{"AllocationIds": [association("a")]}], "Associate [0] AllocationIds must look like eipalloc-"),
        ([call("a"), {"AllocationIds": ["x"]}], "Associate [1] AllocationIds must look like eipalloc-"),
        ([call("aa")], f'Associate [0] AllocationIds names "{allocation("a")}" more than once.'),
        ([call("a"), call("ba")], f'Associate names "{allocation("a")}" more than once.'),
        ([call("012345678")], "Associate [0] AllocationIds names 9 addresses; one request takes at most 8."),
        ([call("01234"), call("5678")], "Associate names 9 addresses; one request takes at most 8."),
        ([call(name) for name in "012345678"], "Associate has 9 calls; one request takes at most 8."),
        (
            [call("ab", PrivateIpAddresses=["10.0.0.7"])],
            "Associate [0] has 1 PrivateIpAddresses for 2 AllocationIds: give one for each, or none.",
        ),
        (
            [call("a", PrivateIpAddresses=["10.0.0.7", "10.0.0.8"])],
            "Associate [0] has 2 PrivateIpAddresses for 1 AllocationIds: give one for each, or none.",
        ),
        ([call("a", PrivateIpAddresses=[])], "Associate [0] PrivateIpAddresses must name at least one"),
        ([call("a", PrivateIpAddresses=["fd00::7"])], "Associate [0] PrivateIpAddresses must be an IPv4"),
        (
            [call("ab", PrivateIpAddresses=["10.0.0.7"] * 2)],
            'Associate [0] PrivateIpAddresses names "10.0.0.7" more than once.',
        ),
        (
            [call(name, PrivateIpAddresses=["10.0.0.7"]) for name in "ab"],
            'Associate names "10.0.0.7" more than once.',
        ),
        (
            [call("a", AvailabilityZone="us-east-1a", AvailabilityZoneId="use1-az1")],
            "Associate [0] has AvailabilityZone and AvailabilityZoneId: give one of them.",
        ),
        (
            [call("a", AvailabilityZone=1)],
            "Associate [0] AvailabilityZone must be a zone such as use1-az1, not 1.",
        ),
        ([call("a", AvailabilityZoneId="")], 'AvailabilityZoneId must be a zone such as use1-az1, not "".'),
        ([call("a", AvailabilityZoneId="Ohio")], 'must be a zone such as use1-az1, not "Ohio".'),
        (
            [call("a", AvailabilityZoneID="use1-az1")],
            'Associate [0] has an unknown field "AvailabilityZoneID" (did you mean AvailabilityZoneId?).',
        ),
        (
            [call("a", zzz=1)],
            '"zzz" (known are AllocationIds, PrivateIpAddresses, AvailabilityZoneId, AvailabilityZone).',
        ),
        ([call("a", DryRun=True)], 'Associate [0] has an unknown field "DryRun" (known are AllocationIds, '),
        ([call("a", NatGatewayId=GATEWAY)], 'Associate [0] has an unknown field "NatGatewayId" (known are '),
    ],
)
def test_request_to_associate_is_refused_with_what_is_wrong(calls: list[object], problem: str) -> None:
    (found,) = problems_of(joining(*calls))
    assert problem in found


@pytest.mark.parametrize("calls", [None, call("a"), allocation("a"), True], ids=str)
def test_request_to_associate_is_refused_unless_it_has_a_list_of_calls(calls: object) -> None:
    (found,) = problems_of({"NatGatewayId": GATEWAY, "Associate": calls})
    assert found.startswith('Associate must be a list such as [{"AllocationIds": ["eipalloc-..."]}], not ')


def test_request_to_associate_reports_every_problem_of_every_call() -> None:
    (found,) = problems_of(joining({"AllocationIds": ["x"], "AvailabilityZone": 7}, call("aa"), 9))
    assert found.count("[0]") == found.count("[1]") == found.count("[2]") == 1
    for problem in ('not "x"', "AvailabilityZone must be a zone", "more than once", "must be an object"):
        assert problem in found


def test_request_to_associate_needs_a_gateway() -> None:
    (found,) = problems_of({"Associate": [call("a")]})
    assert found == "NatGatewayId is missing: the gateway that the allocations are to join."


LEAVING: dict[str, object] = {
    "AssociationIds": [association("b")],
    "PublicIps": [ip("b")],
    "Disassociate": call("b"),
}
OF_A_DRAIN: dict[str, object] = {"MaxDrainDurationSeconds": 350, "AfterDrain": "keep"}


@pytest.mark.parametrize("field", LEAVING)
def test_request_is_refused_when_it_goes_in_both_directions(field: str) -> None:
    (found,) = problems_of(joining(call("a")) | {field: LEAVING[field]})
    assert found.startswith(f"Associate and {field} are in one request")
    assert found.endswith("a second one for those that are to leave.")


@pytest.mark.parametrize("field", OF_A_DRAIN)
def test_request_to_join_is_refused_with_what_only_a_drain_has(field: str) -> None:
    (found,) = problems_of(joining(call("a")) | {field: OF_A_DRAIN[field]})
    assert found.startswith(
        f"Associate is for addresses that join, and {field} only for addresses that leave"
    )
    assert found.endswith(f"Leave {field} out.")


def test_request_in_both_directions_names_all_of_the_other_one() -> None:
    (found,) = problems_of(joining(call("a")) | LEAVING | OF_A_DRAIN)
    assert found.startswith(f"Associate and {', '.join(LEAVING)} are in one request")


def test_request_in_both_directions_is_asked_for_its_gateway_even_if_it_names_public_ips() -> None:
    both, gateway = problems_of({"Associate": [call("a")], "PublicIps": [ip("b")]})
    assert (both.split()[0], gateway.split()[0]) == ("Associate", "NatGatewayId")


@pytest.mark.parametrize(
    ("pasted", "fields"),
    [
        ({}, "AllocationIds"),
        ({"DryRun": True}, "AllocationIds"),
        ({"AvailabilityZone": "us-east-1a"}, "AllocationIds, AvailabilityZone"),
        ({"AvailabilityZoneId": "use1-az1"}, "AllocationIds, AvailabilityZoneId"),
        ({"PrivateIpAddresses": ["10.0.0.7"]}, "AllocationIds, PrivateIpAddresses"),
        ({"MaxDrainDurationSeconds": 350}, "AllocationIds"),
        ({"AllocationIds": 7}, "AllocationIds"),
        ({"AssociationIds": [association("a")]}, "AllocationIds"),
        ({"Associate": [{"AllocationIds": ["eipalloc-0a1b2c3d4e5f60718"]}]}, "AllocationIds"),
    ],
    ids=lambda value: value if isinstance(value, str) else "and ".join(value) or "alone",
)
def test_request_of_ec2s_associate_is_refused_with_both_ways_to_say_it(
    pasted: dict[str, object], fields: str
) -> None:
    (found,) = problems_of({"NatGatewayId": GATEWAY} | call("a") | pasted)
    assert found.startswith(f"At the top level {fields} could mean two opposite things.")
    assert 'To associate: "Associate": [{"AllocationIds": [...]}]' in found
    assert 'To take off by allocation: "Disassociate": {"AllocationIds": [...]}' in found


def test_request_with_a_zone_alone_is_refused_as_one_of_ec2s_associate() -> None:
    (found,) = problems_of(GOOD | {"AvailabilityZoneId": "use1-az1"})
    assert found.startswith("At the top level AvailabilityZoneId could mean two opposite things.")


# Allocations that are to leave


def test_request_reads_allocations_that_are_to_leave() -> None:
    request = parse_request(leaving(AllocationIds=allocations("ab"), MaxDrainDurationSeconds=99))
    assert (request.direction, request.allocation_ids) == (Direction.LEAVE, tuple(allocations("ab")))
    assert (request.limit_seconds, request.associate) == (99, ())


def test_request_takes_the_limit_beside_the_allocations_that_are_to_leave() -> None:
    assert parse_request(leaving(**call("a")) | {"MaxDrainDurationSeconds": 99}).limit_seconds == 99


def test_request_takes_the_deployments_limit_for_allocations_that_are_to_leave() -> None:
    assert parse_request(leaving(**call("a")), default_limit_seconds=99).limit_seconds == 99


@pytest.mark.parametrize(
    ("disassociate", "problem"),
    [
        ({}, "Disassociate lacks AllocationIds."),
        ({"MaxDrainDurationSeconds": 9}, "Disassociate lacks AllocationIds."),
        (call(""), "Disassociate AllocationIds must name at least one address; the list is empty."),
        ({"AllocationIds": allocation("a")}, "Disassociate AllocationIds must be a list, not"),
        (call("aa"), f'Disassociate AllocationIds names "{allocation("a")}" more than once.'),
        (call("012345678"), "Disassociate AllocationIds names 9 addresses; one request takes at most 8."),
        (call("a", MaxDrainDurationSeconds=0), "Disassociate MaxDrainDurationSeconds must be a whole number"),
        (
            call("a", MaxDrainSeconds=9),
            'Disassociate has an unknown field "MaxDrainSeconds" (did you mean MaxDrainDurationSeconds?).',
        ),
        (call("a", zzz=1), 'has an unknown field "zzz" (known are AllocationIds, MaxDrainDurationSeconds).'),
    ],
)
def test_request_to_disassociate_is_refused_with_what_is_wrong(
    disassociate: dict[str, object], problem: str
) -> None:
    (found,) = problems_of(leaving(**disassociate))
    assert problem in found


@pytest.mark.parametrize("value", [None, allocations("a"), [call("a")], allocation("a")], ids=str)
def test_request_to_disassociate_is_refused_unless_it_has_an_object(value: object) -> None:
    (found,) = problems_of({"NatGatewayId": GATEWAY, "Disassociate": value})
    assert found.startswith("Disassociate must be an object with AllocationIds, not ")


@pytest.mark.parametrize("limit", [9, 10])
def test_request_is_refused_when_its_limit_is_there_twice(limit: int) -> None:
    twice = leaving(**call("a", MaxDrainDurationSeconds=9)) | {"MaxDrainDurationSeconds": limit}
    (found,) = problems_of(twice)
    assert found.startswith("MaxDrainDurationSeconds is there twice, also in Disassociate.")


def test_request_to_disassociate_needs_a_gateway() -> None:
    (found,) = problems_of({"Disassociate": call("a")})
    assert found.startswith("NatGatewayId is missing")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(allocations("ab")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["AllocationIds", "PrivateIpAddresses", "AvailabilityZone"]), inner)
    ),
)


@pytest.mark.parametrize("field", ["Associate", "Disassociate"])
@given(value=ANY_JSON)
def test_request_refuses_or_reads_whatever_its_directions_hold(field: str, value: object) -> None:
    document = {"NatGatewayId": GATEWAY, field: value}
    with contextlib.suppress(RequestRefused):
        request = parse_request(document)
        assert request.names
        assert request.direction is (Direction.JOIN if field == "Associate" else Direction.LEAVE)
        assert parse_request(json.loads(json.dumps(request.to_json()))) == request
