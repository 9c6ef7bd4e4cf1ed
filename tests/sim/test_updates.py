"""UpdateStack: the order of updates, and resources that do not change."""

import json
from typing import Any

from support.stub_functions import StubCloud, chain, invoke, resource, stub_cloud, template

VERSION = {**invoke("${Look}"), "Output": "{% $states.result.Payload.environment.VERSION %}"}


def stub(version: str, more: dict[str, Any] | None = None, *states: dict[str, Any]) -> str:
    return template(chain(*(states or (VERSION,))), more, version)


def version_seen(cloud: StubCloud, function: str) -> str:
    response = cloud.client("lambda").invoke(FunctionName=function, Payload="{}")
    return str(json.loads(response["Payload"].read())["environment"]["VERSION"])


def test_update_publishes_a_new_version_and_keeps_the_old_one_with_its_environment() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(stub("A"))
        before = cloud.outputs["LookArn"]
        cloud.deploy(stub("B"), update=True)
        assert cloud.outputs["LookArn"] == before.removesuffix(":1") + ":2"
        assert version_seen(cloud, before) == "A"
        assert version_seen(cloud, cloud.outputs["LookArn"]) == "B"


def test_update_changes_the_definition_of_a_state_machine_and_keeps_its_arn() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(stub("A"))
        before = cloud.outputs["MachineArn"]
        cloud.deploy(stub("B"), update=True)
        assert cloud.outputs["MachineArn"] == before
        assert json.loads(cloud.run()["output"]) == "B"


def test_update_does_not_change_a_running_execution() -> None:
    states = ({"Type": "Wait", "Seconds": 60}, VERSION)
    with stub_cloud() as cloud:
        cloud.deploy(stub("A", None, *states))
        running = cloud.start()
        cloud.clock.advance(10)
        cloud.deploy(stub("B", None, VERSION), update=True)
        cloud.clock.advance(60)
        assert json.loads(cloud.describe(running)["output"]) == "A"


def test_update_keeps_resources_that_moto_cannot_change() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(stub("A"))
        table = cloud.outputs["TableName"]
        cloud.client("dynamodb").put_item(TableName=table, Item={"PK": {"S": "kept"}})
        changed = json.loads(stub("B"))
        changed["Resources"]["Table"]["Properties"]["DeletionProtectionEnabled"] = True
        changed["Resources"]["LookLogs"]["Properties"]["RetentionInDays"] = 7
        changed["Resources"]["LookRole"]["Properties"]["Description"] = "changed"
        cloud.deploy(json.dumps(changed), update=True)
        assert cloud.outputs["TableName"] == table
        assert cloud.client("dynamodb").get_item(TableName=table, Key={"PK": {"S": "kept"}})["Item"]


def test_update_deletes_removed_resources_unless_they_are_retained() -> None:
    kept = {**resource("SQS::Queue", QueueName="kept"), "DeletionPolicy": "Retain"}
    with stub_cloud() as cloud:
        cloud.deploy(stub("A", {"Gone": resource("SQS::Queue", QueueName="gone"), "Kept": kept}))
        cloud.deploy(stub("A", {"New": resource("SQS::Queue", QueueName="new")}), update=True)
        urls = cloud.client("sqs").list_queues()["QueueUrls"]
        assert [url.rpartition("/")[2] for url in urls] == ["kept", "new"]


def test_update_changes_a_rule_and_keeps_its_name() -> None:
    rules = []
    with stub_cloud() as cloud:
        for source in ("a", "b"):
            rule = resource("Events::Rule", EventPattern={"source": [source]}, State="ENABLED")
            cloud.deploy(stub("A", {"Rule": rule}), update=source == "b")
            rules += cloud.client("events").list_rules()["Rules"]
    assert [json.loads(rule["EventPattern"]) for rule in rules] == [{"source": ["a"]}, {"source": ["b"]}]
    assert len({rule["Name"] for rule in rules}) == 1
