"""Joins over HTTP: another process serves the embedded cloud, and the tests use boto3 alone."""

from __future__ import annotations

from support.served import Served, eventually


def _to_join(gateway_id: str, *allocation_ids: str) -> dict[str, object]:
    return {"NatGatewayId": gateway_id, "Associate": [{"AllocationIds": list(allocation_ids)}]}


def _in_service(served: Served, gateway_id: str) -> set[str]:
    shown = served.addresses(gateway_id)
    return {address["AllocationId"] for address in shown if address["Status"] == "succeeded"}


def test_served_join_puts_three_into_service(served: Served, gateway_id: str) -> None:
    before, new = _in_service(served, gateway_id), served.allocate(3)
    ended = served.run(_to_join(gateway_id, *new))
    result = ended["result"]
    assert (ended["status"], result["Outcome"], result["Changed"]) == ("SUCCEEDED", "joined", "all")
    assert _in_service(served, gateway_id) == before | set(new)
    assert served.ready["drain_state_machine_arn"] == served.ready["change_state_machine_arn"]


def test_served_put_back_undoes_a_drain(served: Served, gateway_id: str) -> None:
    before = served.addresses(gateway_id)
    ids = [before[1]["AllocationId"]]
    drained = served.run(
        {"NatGatewayId": gateway_id, "Disassociate": {"AllocationIds": ids, "MaxDrainDurationSeconds": 10}}
    )
    assert before[1]["AllocationId"] not in _in_service(served, gateway_id)
    ended = served.run(drained["result"]["PutBack"]["Request"])
    assert (ended["status"], ended["result"]["Outcome"]) == ("SUCCEEDED", "joined")
    assert before[1]["AllocationId"] in _in_service(served, gateway_id)


def test_served_associate_request_of_ec2_itself_changes_nothing(served: Served, gateway_id: str) -> None:
    before, new = served.addresses(gateway_id), served.allocate(1)
    ended = served.run({"NatGatewayId": gateway_id, "AllocationIds": new})
    assert (ended["status"], ended["error"]) == ("FAILED", "RequestRefused")
    assert all(way in ended["cause"] for way in ("Associate", "Disassociate"))
    assert served.addresses(gateway_id) == before


def test_served_join_goes_on_after_a_stop_and_asks_ec2_once(served: Served, gateway_id: str) -> None:
    request = _to_join(gateway_id, *served.allocate(1))
    first = served.start(request)
    eventually(lambda: served.states(first), lambda states: "Publish the start" in states)
    served.client("stepfunctions").stop_execution(executionArn=first, error="Enough", cause="for the test")
    second = served.start(request)
    ended = served.wait(second)
    assert (ended["status"], ended["result"]["Changed"]) == ("SUCCEEDED", "all")
    assert "Associate" not in served.states(second)
