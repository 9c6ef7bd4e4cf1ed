"""Stories of the lock: waiting in line, fifty at once, other tools on the gateway, items edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from natdrain.model.errors import EXECUTION_ERRORS
from natdrain_sim.cloud import EmbeddedCloud, Run
from natdrain_sim.ec2 import Lags
from natdrain_sim.synthesis import EXAMPLE
from support.stories import BuildGateway, NatGateway, items, problems, table

WAITS = {"WhenBusy": "wait"}
BOUND_SECONDS = 900


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCloud]:
    """Open a cloud whose executions wait in line for a quarter of an hour."""
    config = tmp_path_factory.mktemp("config") / "natdrain.toml"
    given = "wait_in_line_seconds = 7200"
    assert given in EXAMPLE.read_text()
    config.write_text(EXAMPLE.read_text().replace(given, f"wait_in_line_seconds = {BOUND_SECONDS}"))
    with EmbeddedCloud(config=config) as cloud:
        yield cloud


def states(run: Run) -> list[str]:
    return [name for _, name in run.states]


def begin_behind_a_foreign_drain(cloud: EmbeddedCloud, gateway: NatGateway) -> str:
    """Start an execution, and let it wait until EC2 is no longer busy with another address."""
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(2), MaxDrainDurationSeconds=60)
    cloud.clock.advance(5)
    return begin(cloud, gateway, 1)


def begin(cloud: EmbeddedCloud, gateway: NatGateway, *numbers: int, **more: Any) -> str:
    """Start an execution, and let it reach its wait."""
    execution = cloud.start(gateway.named(*numbers, **more))
    cloud.clock.advance(10)
    return execution


def test_waiting_execution_drains_when_its_turn_comes(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    first = begin(cloud, gateway, 1)
    second = cloud.run(gateway.named(2, **WAITS))
    assert (second.status, second.result["Changed"]) == ("SUCCEEDED", "all")
    assert "Wait in line" in states(second)
    [ours], [theirs] = second.result["Addresses"], cloud.report(first).result["Addresses"]
    assert theirs["GoneBy"] <= ours["RequestedAt"]
    assert states(second).index("Validate") > states(second).index("Wait in line"), "no guard is asked before"


def test_hold_that_is_set_meanwhile_refuses_an_execution_that_waits_in_line(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    first = begin(cloud, gateway, 1)
    second = begin(cloud, gateway, 2, **WAITS)
    hold = {"NatGatewayId": gateway.gateway_id, "Record": "hold", "Hold": "alice, incident 4711"}
    put(cloud, {key: {"S": value} for key, value in hold.items()})
    assert cloud.wait(first).status == "SUCCEEDED"
    run = cloud.wait(second)
    assert (run.error, run.result["Changed"]) == ("RequestRefused", "none")
    assert "is held (alice, incident 4711)" in run.result["Summary"]


def test_address_that_is_protected_meanwhile_is_refused_when_its_turn_comes(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    begin(cloud, gateway, 1)
    second = begin(cloud, gateway, 2, **WAITS)
    cloud.client("ec2").create_tags(
        Resources=[gateway.addresses[2]["AllocationId"]], Tags=[{"Key": "natdrain:protect", "Value": ""}]
    )
    run = cloud.wait(second)
    assert (run.error, run.result["Changed"]) == ("RequestRefused", "none")
    assert gateway.addresses[2]["PublicIp"] in gateway.public_ips()


def test_waiting_in_line_ends_at_its_bound_and_says_so(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    first = begin(cloud, gateway, 1, MaxDrainDurationSeconds=2000)
    run = cloud.run(gateway.named(2, **WAITS))
    assert (run.error, run.result["Changed"]) == ("GatewayBusy", "none")
    assert BOUND_SECONDS <= run.seconds <= BOUND_SECONDS + 30
    since = items(cloud, gateway.gateway_id)["lock"]["Since"]["S"]
    assert run.result["Summary"] == (
        f"Busy: {gateway.gateway_id} is locked by {first} since {since}. Waiting in line ended after "
        f"{BOUND_SECONDS} s, wait_in_line_seconds of the configuration. "
        "Run the request again when that has ended."
    )


@pytest.mark.parametrize(("more", "reason"), [({}, ""), ({"Reason": "partner move"}, " (partner move)")])
def test_busy_says_who_holds_the_lock_and_how_to_wait_in_line(
    cloud: EmbeddedCloud, nat: BuildGateway, more: dict[str, str], reason: str
) -> None:
    gateway = nat()
    first = begin(cloud, gateway, 1, **more)
    since = items(cloud, gateway.gateway_id)["lock"]["Since"]["S"]
    run = cloud.run(gateway.named(2))
    assert (run.error, run.seconds) == ("GatewayBusy", 0)
    assert run.result["Summary"] == (
        f"Busy: {gateway.gateway_id} is locked by {first} since {since}{reason}. "
        'Run the request again when that has ended, or let it wait in line: WhenBusy: "wait".'
    )


@pytest.mark.parametrize("kind", ["alarm", "schedule"])
def test_trigger_waits_in_line_by_itself(cloud: EmbeddedCloud, nat: BuildGateway, kind: str) -> None:
    gateway = nat()
    begin(cloud, gateway, 1)
    trigger = {"Kind": kind, "Name": "nightly", "At": "2026-11-01T03:00:00Z"}
    run = cloud.run(gateway.named(2, Trigger=trigger))
    assert (run.status, run.result["Outcome"]) == ("SUCCEEDED", "drained")
    assert "Wait in line" in states(run)


def test_waiting_execution_follows_a_holder_that_is_stopped(cloud: EmbeddedCloud, nat: BuildGateway) -> None:
    gateway = nat()
    first = begin(cloud, gateway, 1)
    second = begin(cloud, gateway, 1, **WAITS)
    cloud.clock.advance(60)
    cloud.client("stepfunctions").stop_execution(executionArn=first)
    run = cloud.wait(second)
    assert (run.status, run.result["Addresses"][0]["Adopted"]) == ("SUCCEEDED", True)
    assert gateway.changes() == ["DisassociateNatGatewayAddress"]


@pytest.mark.deep
def test_fifty_at_once_change_the_gateway_one_after_the_other(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat(8)
    started = [
        cloud.start(gateway.named(1 + n % 6, MaxDrainDurationSeconds=1, WhenBusy="fail" if n % 5 else "wait"))
        for n in range(50)
    ]
    runs = [cloud.wait(execution) for execution in started]
    assert {run.error for run in runs} == {None, "GatewayBusy"} <= {None, *EXECUTION_ERRORS}
    assert [n for n, run in enumerate(runs) if run.status == "SUCCEEDED"] == list(range(0, 50, 5))
    asked = [
        call for call in cloud.recorder.calls if call.parameters.get("NatGatewayId") == gateway.gateway_id
    ]
    assert [call.error for call in asked if call.role] == [None] * 6, "EC2 never found another one's drain"
    drained = [run.result["Addresses"][0] for run in runs if run.result["Changed"] == "all"]
    turns = sorted((address["RequestedAt"], address["GoneBy"]) for address in drained)
    assert len(turns) == 6
    assert all(before[1] <= after[0] for before, after in pairwise(turns))
    next_one = cloud.run(gateway.named(7, MaxDrainDurationSeconds=1))
    assert next_one.status == "SUCCEEDED"
    assert "Read the lock" not in states(next_one)


def test_association_by_another_tool_is_waited_out_when_the_first_look_does_not_show_it_yet(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.simulation.configure(lags=Lags(associate=120))
    gateway = nat()
    another = cloud.simulation.add_address()
    cloud.client("ec2").associate_nat_gateway_address(
        NatGatewayId=gateway.gateway_id, AllocationIds=[another]
    )
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert run.calls["ec2:DisassociateNatGatewayAddress"] == 2, "OperationInProgress, and accepted"


def test_longest_drain_of_another_address_by_another_tool_is_waited_out(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    cloud.client("ec2").disassociate_nat_gateway_address(**gateway.named(2), MaxDrainDurationSeconds=4000)
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert run.seconds > 4000


def test_another_tool_that_is_first_again_and_again_blocks_for_no_longer_than_the_bound(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    cloud.simulation.configure(lags=Lags(leave_after_limit=(0, 0)))
    gateway = nat(4)
    other = cloud.client("ec2")
    other.disassociate_nat_gateway_address(**gateway.named(2), MaxDrainDurationSeconds=4000)
    execution = cloud.start(gateway.named(1))
    cloud.clock.advance(4000)
    other.disassociate_nat_gateway_address(**gateway.named(3), MaxDrainDurationSeconds=4000)
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"], run.seconds) == ("DrainFailed", "none", 4300)
    assert [address["Outcome"] for address in run.result["Addresses"]] == ["blocked"]


# Items changed by a person or by another version.


def put(cloud: EmbeddedCloud, item: dict[str, Any]) -> None:
    cloud.client("dynamodb").put_item(TableName=table(cloud), Item=item)


def key_of(gateway: NatGateway) -> dict[str, Any]:
    return {"NatGatewayId": {"S": gateway.gateway_id}, "Record": {"S": "lock"}}


def lock(gateway: NatGateway, **attributes: Any) -> dict[str, Any]:
    return {**key_of(gateway), **attributes}


def make_drains_a_text(cloud: EmbeddedCloud, gateway: NatGateway) -> None:
    put(cloud, {**items(cloud, gateway.gateway_id)["lock"], "Drains": text("none")})


def text(value: str) -> dict[str, str]:
    return {"S": value}


def lock_with_drain(**changed: Any) -> dict[str, Any]:
    """Return `Drains` with one drain and these changes of its attributes; None leaves an attribute out."""
    known = {"AssociationId": text("eipassoc-0123456789abcdef0"), "SinceAt": text("2026-10-01T00:00:00Z")}
    drain = {key: value for key, value in {**known, **changed}.items() if value is not None}
    return {"Drains": {"M": {"eipassoc-0123456789abcdef0": {"M": drain}}}}


WORKS: dict[str, dict[str, Any]] = {
    "no drains": {},
    "unknown attributes": {"Colour": text("red"), "Drains": {"M": {}}},
    "reason without an owner": {"Reason": {"N": "7"}, "Since": {"N": "7"}},
    "drain of a version that knows more": lock_with_drain(Mood={"M": {"Today": text("good")}}),
    "drain of a version that knows less": lock_with_drain(),
}


@pytest.mark.parametrize("edited", WORKS)
def test_lock_item_that_was_edited_does_no_harm(cloud: EmbeddedCloud, nat: BuildGateway, edited: str) -> None:
    gateway = nat()
    put(cloud, lock(gateway, **WORKS[edited]))
    run = cloud.run(gateway.named(1, MaxDrainDurationSeconds=1))
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    kept = items(cloud, gateway.gateway_id)["lock"]
    assert "Owner" not in kept
    assert kept.get("Colour") == WORKS[edited].get("Colour")


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "drains are a text": ({"Drains": text("none")}, "Drains is no map"),
    "drain is a text": ({"Drains": {"M": {"eipassoc-1": text("x")}}}, "an address in it is no map"),
    "drain without an instant": (lock_with_drain(SinceAt=None), "AssociationId or SinceAt is missing"),
    "drain without an association": (
        lock_with_drain(AssociationId=None),
        "AssociationId or SinceAt is missing",
    ),
    "instant without a zone": (lock_with_drain(SinceAt=text("2026-10-01T00:00:00")), "has no time zone"),
    "instant that is a number": (lock_with_drain(RequestedAt={"N": "7"}), "'7'"),
    "public IP that is a number": (lock_with_drain(PublicIp={"N": "7"}), "'7'"),
    "limit that is a text": (lock_with_drain(LimitSeconds=text("soon")), "'soon'"),
    "outcome of another version": (lock_with_drain(Outcome=text("evaporated")), "'evaporated'"),
}


@pytest.mark.parametrize("edited", UNREADABLE)
def test_lock_item_that_cannot_be_read_is_reported_and_changes_nothing(
    cloud: EmbeddedCloud, nat: BuildGateway, edited: str
) -> None:
    gateway = nat()
    attributes, why = UNREADABLE[edited]
    put(cloud, lock(gateway, **attributes))
    run = cloud.run(gateway.named(1))
    assert (run.error, run.result["Changed"]) == ("RequestRefused", "none")
    [problem] = problems(run.result)
    assert f"The item lock of {gateway.gateway_id} is not as natdrain writes it" in problem
    assert why in problem
    assert f"--table-name {table(cloud)} --key NatGatewayId={{S={gateway.gateway_id}}},Record={{S=" in problem
    assert gateway.changes() == []
    found = items(cloud, gateway.gateway_id)["lock"]
    assert found == {"Joins": {"M": {}}} | lock(gateway, **attributes), "as it was, and free"


FOREIGN: dict[str, tuple[dict[str, Any], str]] = {
    "all there is": (
        {"Owner": text("alice"), "Since": text("noon"), "Reason": text("look")},
        "is locked by alice since noon (look)",
    ),
    "no since": ({"Owner": text("alice")}, "is locked by alice"),
    "owner is a number": ({"Owner": {"N": "7"}}, 'is locked by {"N":"7"}'),
    "since is a number": ({"Owner": text("alice"), "Since": {"N": "7"}}, "is locked by alice"),
    "reason is a number": ({"Owner": text("alice"), "Reason": {"N": "7"}}, "is locked by alice"),
    "owner is empty": ({"Owner": text("")}, "is locked by "),
}


@pytest.mark.parametrize("edited", FOREIGN)
@pytest.mark.parametrize("when_busy", ["fail", "wait"])
def test_owner_that_is_no_execution_is_reported_at_once_and_stays(
    cloud: EmbeddedCloud, nat: BuildGateway, edited: str, when_busy: str
) -> None:
    gateway = nat()
    attributes, says = FOREIGN[edited]
    put(cloud, lock(gateway, **attributes))
    run = cloud.run(gateway.named(1, WhenBusy=when_busy))
    assert (run.error, run.result["Changed"], run.seconds) == ("GatewayBusy", "none", 0)
    assert run.result["Summary"] == (
        f"Busy: {gateway.gateway_id} {says}, which is no execution of this workflow. If nothing runs there, "
        "remove the attribute Owner from the item lock of that gateway."
    )
    assert gateway.changes() == []
    assert items(cloud, gateway.gateway_id)["lock"] == lock(gateway, **attributes)


def test_execution_whose_lock_a_person_takes_requests_nothing_more(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = begin_behind_a_foreign_drain(cloud, gateway)
    put(cloud, lock(gateway, Owner=text("alice")))
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"]) == ("GatewayBusy", "none")
    assert (
        "the lock was taken over from this execution; nothing more was asked of EC2" in run.result["Summary"]
    )
    assert gateway.changes() == []
    assert items(cloud, gateway.gateway_id)["lock"]["Owner"] == text("alice")


def test_drain_is_reported_as_it_was_when_the_lock_item_is_deleted_meanwhile(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = begin(cloud, gateway, 1)
    cloud.client("dynamodb").delete_item(TableName=table(cloud), Key=key_of(gateway))
    run = cloud.wait(execution)
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert run.result["Addresses"][0]["Outcome"] == "drained"


def remove_drains(cloud: EmbeddedCloud, gateway: NatGateway) -> None:
    cloud.client("dynamodb").update_item(
        TableName=table(cloud), Key=key_of(gateway), UpdateExpression="REMOVE Drains"
    )


def test_drain_ends_well_when_a_person_removes_what_the_lock_item_remembers(
    cloud: EmbeddedCloud, nat: BuildGateway
) -> None:
    gateway = nat()
    execution = begin(cloud, gateway, 1)
    remove_drains(cloud, gateway)
    run = cloud.wait(execution)
    assert (run.status, run.result["Changed"]) == ("SUCCEEDED", "all")
    assert "Owner" not in items(cloud, gateway.gateway_id)["lock"]


@pytest.mark.parametrize(
    ("breaks", "why"),
    [(remove_drains, "ValidationException: "), (make_drains_a_text, "Drains is no map")],
    ids=["removed", "a text"],
)
def test_request_is_refused_when_a_person_breaks_the_lock_item_before_ec2_is_asked(
    cloud: EmbeddedCloud, nat: BuildGateway, breaks: Callable[[EmbeddedCloud, NatGateway], None], why: str
) -> None:
    gateway = nat()
    execution = begin_behind_a_foreign_drain(cloud, gateway)
    breaks(cloud, gateway)
    run = cloud.wait(execution)
    assert (run.error, run.result["Changed"]) == ("RequestRefused", "none")
    assert "is not as natdrain writes it" in problems(run.result)[0]
    assert why in problems(run.result)[0]
    assert gateway.changes() == []
