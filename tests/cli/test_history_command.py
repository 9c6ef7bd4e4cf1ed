"""The history command's answers to questions that people have."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from natdrain.history.periods import Period
from natdrain.model.instants import instant, timestamp
from natdrain_cli import history as command
from natdrain_sim.cloud import EmbeddedCloud
from support.join_stories import spares
from support.stories import BuildGateway


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("COLUMNS", "300")


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert command.main(arguments) == 0
    return capsys.readouterr().out


def test_history_of_a_gateway_shows_who_served_until_when_and_why_it_ended(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1, Reason="contract ends"))
    [left] = run.result["Addresses"]
    printed = asked(capsys, "--gateway", gateway.gateway_id)
    [row] = [line for line in printed.splitlines() if f"│ {left['PublicIp']} " in line]
    name = run.execution_arn.rpartition(":")[2]
    for part in (left["GoneBy"], left["LastSeenAt"], name, "by hand: contract ends"):
        assert part in row
    [other] = [line for line in printed.splitlines() if f"│ {gateway.addresses[2]['PublicIp']} " in line]
    assert "still there when last looked" in other
    assert run.result["Summary"] in printed


def test_history_of_a_gateway_shows_who_associated_an_address_and_why(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway, [spare] = nat(), spares(cloud)
    cloud.run(gateway.named(0, DryRun=True))
    run = cloud.run(gateway.to_join(spare, Reason="ports run out"))
    [joined] = run.result["Addresses"]
    printed = asked(capsys, "--gateway", gateway.gateway_id)
    [row] = [line for line in printed.splitlines() if f"│ {joined['PublicIp']} " in line]
    name = run.execution_arn.rpartition(":")[2]
    assert f"from {joined['InServiceAt']}" in row
    assert f"associated by {name}, by hand: ports run out, still there when last looked" in row
    assert run.result["Summary"] in printed


def test_history_of_a_gateway_claims_no_reason_for_what_others_did(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = nat(4)
    cloud.run(gateway.named(1))
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(2), MaxDrainDurationSeconds=5)
    cloud.clock.advance(60)
    cloud.run(gateway.named(3))
    printed = asked(capsys, "--gateway", gateway.gateway_id)
    [row] = [line for line in printed.splitlines() if f"│ {gateway.addresses[2]['PublicIp']} " in line]
    assert "outside" in row
    assert "by hand" not in row


def test_history_shows_who_had_an_address_at_an_instant(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = nat()
    run = cloud.run(gateway.named(1))
    ip, gone = gateway.addresses[1]["PublicIp"], instant(run.result["Addresses"][0]["GoneBy"])

    def at(seconds: float) -> str:
        return asked(capsys, "--ip", ip, "--at", timestamp(gone + timedelta(seconds=seconds)))

    assert f"{ip} was on {gateway.gateway_id} " in at(-200)
    assert f"{ip} may have left {gateway.gateway_id} " in at(-1)
    assert f"{ip} was on no gateway that is known: it had left {gateway.gateway_id} " in at(0)
    assert "nobody had looked yet: natdrain first saw " in at(-100_000)


def day(at: str) -> str:
    return f"2027-03-03T{at}:00Z"


def entry(event: str, gateway_id: str, at: str, **more: str) -> dict[str, str]:
    named = {"AssociationId": f"eipassoc-{gateway_id}", "AllocationId": "eipalloc-1"}
    return {"NatGatewayId": gateway_id, "Event": event, "At": day(at), **named, **more}


def answer(at: str, *entries: dict[str, str]) -> str:
    return command.who_had("203.0.113.7", instant(day(at)), entries)


@pytest.mark.parametrize(
    ("at", "where"), [("15:00", "was on nat-b"), ("21:00", "was on nat-b"), ("13:00", "may have left nat-a")]
)
def test_address_that_moved_is_on_the_newer_gateway_however_late_its_leaving_was_noticed(
    at: str, where: str
) -> None:
    entries = [
        entry("serving", "nat-a", "08:00"),
        entry("serving", "nat-b", "14:00", After=day("07:00")),
        entry("left", "nat-a", "20:00", LastSeenAt=day("08:00")),
    ]
    assert where in answer(at, *entries)


FIRST = entry("serving", "nat-a", "08:00")
AFTER = entry("serving", "nat-a", "08:00", After=day("07:00"))
LEFT = entry("left", "nat-a", "10:00", LastSeenAt=day("09:00"))
FAILED = entry("out_of_service", "nat-a", "10:00", LastSeenAt=day("09:00"))
MOVED = entry("serving", "nat-b", "14:00", After=day("12:00"))
MOVED_UNSEEN = entry("serving", "nat-b", "14:00")
BACK = entry("serving", "nat-a", "14:00", After=day("12:00"))
BY_ALARM: dict[str, Any] = {
    "By": "arn:me",
    "Execution": "arn:me",
    "Trigger": {"Kind": "alarm", "Name": "Blocked", "At": day("09:00")},
}


@pytest.mark.parametrize(
    ("at", "entries", "says"),
    [
        ("07:59", [FIRST], "nobody had looked yet: natdrain first saw 203.0.113.7 at 2027-03-03T08:00:00Z"),
        ("07:00", [AFTER], "natdrain had not seen 203.0.113.7 yet: nat-a "),
        ("07:01", [AFTER], "203.0.113.7 may have been on nat-a "),
        ("08:00", [FIRST], "203.0.113.7 was on nat-a "),
        ("23:00", [FIRST], ", as far as natdrain has looked since."),
        ("09:00", [FIRST, LEFT], "203.0.113.7 was on nat-a (eipalloc-1, eipassoc-nat-a)."),
        ("09:01", [FIRST, LEFT], "203.0.113.7 may have left nat-a "),
        ("10:00", [FIRST, LEFT], "was on no gateway that is known: it had left nat-a "),
        ("09:00", [FIRST, FAILED], "203.0.113.7 was on nat-a (eipalloc-1, eipassoc-nat-a)."),
        ("09:01", [FIRST, FAILED], "203.0.113.7 may have been out of service already: it was last seen "),
        ("10:00", [FIRST, FAILED], "203.0.113.7 was out of service: it had failed on nat-a "),
        ("12:01", [FIRST, LEFT, MOVED], "It may have been on nat-b "),
        ("11:00", [FIRST, FAILED, BACK], "was out of service: it had failed on nat-a "),
        ("13:00", [FIRST, FAILED, BACK], "It may have been on nat-a "),
        ("14:00", [FIRST, FAILED, BACK], "203.0.113.7 was on nat-a "),
        ("11:00", [FIRST, LEFT, MOVED_UNSEEN], "already: nobody had looked before, and it was seen there at"),
        ("09:00", [LEFT], "203.0.113.7 was on nat-a "),
        ("08:59", [LEFT], "nobody had looked yet"),
    ],
)
def test_answer_about_an_instant_claims_what_the_looks_around_it_show(
    at: str, entries: list[dict[str, str]], says: str
) -> None:
    assert says in answer(at, *entries)


@pytest.mark.parametrize(
    ("at", "entries"), [("12:00", [FIRST, LEFT, MOVED]), ("09:00", [FIRST, LEFT, MOVED])]
)
def test_answer_about_an_instant_names_no_gateway_that_did_not_have_the_address_then(
    at: str, entries: list[dict[str, str]]
) -> None:
    assert "nat-b" not in answer(at, *entries)


def test_history_of_a_gateway_shows_why_a_drain_was_requested_that_another_execution_adopted(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = nat()
    stopped = cloud.start(gateway.named(1, Reason="contract ends"))
    cloud.clock.advance(30)
    cloud.client("stepfunctions").stop_execution(executionArn=stopped)
    cloud.run(gateway.named(1, Reason="watch it"))
    printed = asked(capsys, "--gateway", gateway.gateway_id)
    [row] = [line for line in printed.splitlines() if f"│ {gateway.addresses[1]['PublicIp']} " in line]
    assert stopped.rpartition(":")[2] in row
    assert "by hand: contract ends" in row


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ({"By": "arn:me", "Execution": "arn:me"}, "by hand"),
        ({"By": "arn:earlier", "Execution": "arn:me", "Reason": "contract ends"}, "by hand: contract ends"),
        ({"By": "arn:earlier", "Execution": "arn:me"}, ""),
        ({"By": "outside", "Execution": "arn:me"}, ""),
        (BY_ALARM | {"Reason": "alarm Blocked: 3 > 0"}, "alarm Blocked: 3 > 0"),
        (BY_ALARM | {"Reason": "alarm Blocked is on"}, "alarm Blocked: alarm Blocked is on"),
        (None, ""),
    ],
)
def test_reason_of_a_leaving_is_shown_if_its_entry_has_it(left: dict[str, Any] | None, why: str) -> None:
    assert command._why_left(left) == why


@pytest.mark.parametrize(
    ("first", "who"),
    [
        (None, ""),
        ({}, ""),
        ({"By": "outside"}, ""),
        ({"By": "arn:me"}, ", associated by me, by hand"),
        ({"By": "arn:me", "Reason": "ports run out"}, ", associated by me, by hand: ports run out"),
        (
            {"By": "arn:me", "Trigger": {"Kind": "schedule", "Name": "monthly", "At": day("09:00")}},
            ", associated by me, schedule monthly",
        ),
    ],
    ids=["not recorded", "first look", "outside", "by hand", "with a reason", "by a schedule"],
)
def test_associating_is_shown_with_who_asked_and_why_if_natdrain_did_it(
    first: dict[str, Any] | None, who: str
) -> None:
    period = Period(first=None if first is None else FIRST | first, left=LEFT)
    assert command._associated(period) == who


def test_address_that_had_failed_is_not_in_service_again_when_natdrain_drains_it_again(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = nat()
    ip, association = gateway.addresses[1]["PublicIp"], gateway.addresses[1]["AssociationId"]
    ends = []
    for message in ("The interface is broken.", None):
        cloud.simulation.fail_when_drained(association, message)
        ends.append(cloud.run(gateway.named(1)).status)
    assert ends == ["FAILED", "SUCCEEDED"]
    entries = [json.loads(line) for line in asked(capsys, "--ip", ip, "--json").splitlines()]
    assert [entry["Event"] for entry in entries] == ["serving", "out_of_service"]
    then = timestamp(instant(entries[-1]["At"]) + timedelta(seconds=100))
    assert f"{ip} was out of service: it had failed on " in asked(capsys, "--ip", ip, "--at", then)


@pytest.mark.parametrize("width", [80, 200])
def test_history_cuts_nothing_whatever_the_width(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    told = BY_ALARM | {"PublicIp": "203.0.113.107", "Reason": "Z" * 100}
    command.show([AFTER | {"PublicIp": "203.0.113.107"}, LEFT | told], command._console())
    printed = capsys.readouterr().out
    assert (printed.count("ZZ"), "…" in printed) == (50, False)
    for whole in ("203.0.113.107", day("07:00"), day("08:00"), day("09:00"), day("10:00")):
        assert whole in printed


def test_history_is_wide_when_it_goes_into_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    assert command._console().width == command.WIDE


def test_history_prints_its_entries_as_they_stand(
    cloud: EmbeddedCloud, nat: BuildGateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = nat()
    cloud.run(gateway.named(1))
    printed = asked(capsys, "--ip", gateway.addresses[1]["PublicIp"], "--json")
    assert [json.loads(line)["Event"] for line in printed.splitlines()] == ["serving", "left"]


@pytest.mark.usefixtures("cloud")
def test_history_of_something_unknown_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "--ip", "198.51.100.1") == "natdrain has seen nothing of 198.51.100.1 yet.\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "one of the arguments --gateway --ip is required"),
        (("--gateway", "nat-1", "--at", "2027-03-03T14:00Z"), "--at needs --ip"),
        (("--ip", "203.0.113.7", "--at", "2027-03-03T14:00"), "has no time zone: add Z for UTC"),
        (
            ("--ip", "203.0.113.7", "--at", "3 March"),
            "'3 March' is no instant: write it like 2027-03-03T14:00Z",
        ),
    ],
)
def test_invalid_arguments_are_refused_with_what_is_wrong(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(arguments)
    assert says in capsys.readouterr().err


@pytest.mark.usefixtures("cloud")
def test_history_of_a_stack_that_is_not_there_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--ip", "203.0.113.7", "--stack", "Other"]) == 1
    assert "Other" in capsys.readouterr().err
