"""Stories of guards that cannot read the facts they need: they refuse, and say why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from natdrain_sim.calls import Fault
from natdrain_sim.cloud import EmbeddedCloud
from support.guard_stories import AUTOMATIC, CALENDAR, HAND, drained, names_of, set_calendar, started
from support.stories import BuildGateway, items, problems, refused, table

METRICS, CALENDARS, ADDRESSES = "cloudwatch:GetMetricData", "ssm:GetCalendarState", "ec2:DescribeAddresses"
ASKS = {METRICS: ["ports", "capacity"], CALENDARS: ["calendar"], ADDRESSES: ["opt_in"]}
"""The guards that need the answer of each operation."""

of_every_read = pytest.mark.parametrize("operation", ASKS)


@pytest.fixture(autouse=True)
def _open_calendar(cloud: EmbeddedCloud) -> Iterator[None]:
    """Restore the calendar for the next story."""
    yield
    set_calendar(cloud, "DEFAULT_OPEN")


def denied(operation: str) -> Fault:
    return Fault(operation=operation, error="AccessDenied", status=400, message="You may not")


def throttled(operation: str, calls: frozenset[int] | None = None) -> Fault:
    code = {METRICS: "Throttling", CALENDARS: "ThrottlingException", ADDRESSES: "RequestLimitExceeded"}
    return Fault(operation=operation, error=code[operation], message="Slow down", calls=calls)


@pytest.mark.parametrize("how", [HAND, AUTOMATIC])
@of_every_read
def test_guard_refuses_at_once_when_its_read_is_denied(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str, how: str
) -> None:
    gateway = nat()
    cloud.recorder.faults = [denied(operation)]
    run = cloud.run(started(how, gateway.named(1)))
    problems = refused(run)
    assert names_of(problems) == ASKS[operation]
    assert all("could not be read (AccessDenied: You may not), so" in text for text in problems)
    assert run.seconds == 0
    assert gateway.changes() == []


@of_every_read
def test_guard_refuses_after_the_retries_when_its_read_is_throttled_for_good(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str
) -> None:
    gateway = nat()
    cloud.recorder.faults = [throttled(operation)]
    run = cloud.run(started(HAND, gateway.named(1)))
    problems = refused(run)
    assert names_of(problems) == ASKS[operation]
    assert all("Slow down" in text for text in problems)
    assert run.seconds >= 90
    assert gateway.changes() == []


@of_every_read
@pytest.mark.parametrize("calls", [1, 5])
def test_read_that_is_throttled_for_a_while_is_never_seen(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str, calls: int
) -> None:
    gateway = nat()
    cloud.recorder.faults = [throttled(operation, frozenset(range(1, calls + 1)))]
    warnings = drained(cloud.run(started(HAND, gateway.named(1))))
    assert set(ASKS[operation]).isdisjoint(names_of(warnings))


@pytest.mark.parametrize("operation", [METRICS, CALENDARS])
def test_guard_that_cannot_read_its_facts_is_overridden_with_a_warning(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str
) -> None:
    gateway = nat()
    cloud.recorder.faults = [denied(operation)]
    request = gateway.named(1, Override=ASKS[operation])
    warnings = drained(cloud.run(started(HAND, request)))
    reported = [text for text in warnings if names_of([text])[0] in ASKS[operation]]
    assert len(reported) == len(ASKS[operation])
    assert all("You may not" in text and text.endswith("(Overridden.)") for text in reported)


def test_tags_that_nobody_can_read_are_overridden_by_nothing(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    cloud.recorder.faults = [denied(ADDRESSES)]
    liftable = ["remaining", "ports", "capacity", "siblings", "put_back", "owner", "calendar"]
    (problem,) = refused(cloud.run(gateway.named(1, Override=liftable)))
    assert problem.endswith("Nothing overrides this.")


def test_calendar_that_does_not_exist_is_not_open(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    set_calendar(cloud, None)
    (problem,) = refused(cloud.run(started(HAND, gateway.named(1))))
    assert f"calendar: The change calendar ({CALENDAR}) could not be read (InvalidDocument" in problem
    assert gateway.changes() == []


@of_every_read
def test_read_that_is_denied_later_stops_the_next_request_to_ec2(
    cloud: EmbeddedCloud, nat: BuildGateway, operation: str
) -> None:
    gateway = nat(4)
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(1), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    execution = cloud.start(gateway.named(1, 2))
    cloud.clock.advance(20)
    cloud.recorder.faults = [denied(operation)]
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"]) == ("DrainFailed", "some")
    assert [address["Outcome"] for address in run.result["Addresses"]] == ["drained", "not_asked"]
    assert "You may not" in problems(run.result)[0]
    assert gateway.changes() == []


# Items that somebody has written into the table

GOOD: dict[str, Any] = {
    "AssociationId": {"S": "eipassoc-0123456789abcdef0"},
    "SinceAt": {"S": "2026-10-01T00:00:00Z"},
    "GoneBy": {"S": "2026-10-01T00:10:00Z"},
    "Outcome": {"S": "drained"},
}


def write(cloud: EmbeddedCloud, gateway_id: str, record: str, attributes: dict[str, Any]) -> None:
    key = {"NatGatewayId": {"S": gateway_id}, "Record": {"S": record}}
    cloud.client("dynamodb").put_item(TableName=table(cloud), Item={**attributes, **key})


def record_of(address: dict[str, str], kind: str) -> str:
    return (
        f"association#{address['AssociationId']}"
        if kind == "association"
        else f"address#{address['AllocationId']}"
    )


@pytest.mark.parametrize("kind", ["association", "allocation"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"AssociationId": None},
        {"AssociationId": {"N": "7"}},
        {"SinceAt": None},
        {"SinceAt": {"S": "yesterday"}},
        {"SinceAt": {"S": "2026-10-01T00:00:00"}},
        {"SinceAt": {"N": "1790812800"}},
        {"GoneBy": {"S": ""}},
        {"GoneBy": {"M": {}}},
        {"Outcome": {"S": "vanished"}},
        {"Outcome": {"L": []}},
        {"LimitSeconds": {"S": "long"}},
        {"LimitSeconds": {"N": "1E+100"}},
        {"Refusals": {"S": "many"}},
        {"AllocationId": {"N": "7"}},
        {"PublicIp": {"L": [{"S": "203.0.113.7"}]}},
        {"Detail": {"M": {"why": {"S": "so"}}}},
    ],
    ids=str,
)
def test_record_that_is_not_as_natdrain_writes_it_is_refused_and_named(
    cloud: EmbeddedCloud, nat: BuildGateway, kind: str, wrong: dict[str, Any]
) -> None:
    gateway = nat()
    record = record_of(gateway.addresses[1], kind)
    attributes = {key: value for key, value in {**GOOD, **wrong}.items() if value}
    write(cloud, gateway.gateway_id, record, attributes)
    (problem,) = refused(cloud.run(gateway.named(1)))
    assert f"The item {record} of {gateway.gateway_id} is not as natdrain writes it" in problem
    assert "aws dynamodb get-item" in problem
    assert gateway.changes() == []


@pytest.mark.parametrize("kind", ["association", "allocation"])
def test_record_of_another_version_is_read_for_what_is_known(
    cloud: EmbeddedCloud, nat: BuildGateway, kind: str
) -> None:
    gateway = nat()
    record = record_of(gateway.addresses[1], kind)
    write(cloud, gateway.gateway_id, record, {**GOOD, "Invented": {"M": {"Later": {"BOOL": True}}}})
    drained(cloud.run(gateway.named(1, MaxDrainDurationSeconds=1)))
    assert items(cloud, gateway.gateway_id)[record]["Outcome"] == {"S": "drained"}
