"""Resource types of a template that moto lacks or creates incompletely."""

import json
from typing import Any

from support.stub_functions import StubCloud, chain, resource, stub_cloud, template

ALARM = {
    "AlarmDescription": "look at the queue",
    "Namespace": "natdrain",
    "MetricName": "Drains",
    "Dimensions": [{"Name": "Outcome", "Value": "failed"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
    "AlarmActions": [{"Ref": "Topic"}],
}
MATHS = [
    {"Id": "rate", "Expression": "a / 2", "Label": "half"},
    {
        "Id": "a",
        "ReturnData": False,
        "MetricStat": {"Metric": {"Namespace": "AWS/SQS", "MetricName": "X"}, "Period": 60, "Stat": "Sum"},
    },
]


def deploy(cloud: StubCloud, more: dict[str, Any], *, update: bool = False, **outputs: Any) -> None:
    whole = json.loads(template(chain({"Type": "Succeed"}), {"Topic": resource("SNS::Topic"), **more}))
    whole["Outputs"] |= {name: {"Value": value} for name, value in outputs.items()}
    cloud.deploy(json.dumps(whole), update=update)


def alarms(cloud: StubCloud) -> list[Any]:
    return list(cloud.client("cloudwatch").describe_alarms()["MetricAlarms"])


def test_alarm_of_a_template_exists_with_its_arn() -> None:
    with stub_cloud() as cloud:
        deploy(
            cloud,
            {"Alarm": resource("CloudWatch::Alarm", **ALARM)},
            Arn={"Fn::GetAtt": ["Alarm", "Arn"]},
            Name={"Ref": "Alarm"},
            Topic={"Ref": "Topic"},
        )
        (alarm,) = alarms(cloud)
        assert (alarm["AlarmArn"], alarm["AlarmName"]) == (cloud.outputs["Arn"], cloud.outputs["Name"])
        assert alarm["AlarmActions"] == [cloud.outputs["Topic"]]
        assert alarm["Dimensions"] == ALARM["Dimensions"]


def test_alarm_of_a_template_may_use_metric_math() -> None:
    whole = {name: ALARM[name] for name in ("EvaluationPeriods", "Threshold", "ComparisonOperator")}
    with stub_cloud() as cloud:
        deploy(cloud, {"Alarm": resource("CloudWatch::Alarm", **whole, Metrics=MATHS)})
        assert [query["Id"] for query in alarms(cloud)[0]["Metrics"]] == ["rate", "a"]


def test_alarm_of_a_template_is_updated_and_deleted_with_it() -> None:
    with stub_cloud() as cloud:
        for threshold in (1, 2):
            changed = ALARM | {"AlarmName": "named", "Threshold": threshold}
            deploy(cloud, {"Alarm": resource("CloudWatch::Alarm", **changed)}, update=threshold > 1)
            assert [(one["AlarmName"], one["Threshold"]) for one in alarms(cloud)] == [("named", threshold)]
        deploy(cloud, {}, update=True)
        assert alarms(cloud) == []


def test_dashboard_of_a_template_has_its_references_resolved() -> None:
    body = {"Fn::Join": ["", ['{"widgets":[{"type":"text","topic":"', {"Ref": "Topic"}, '"}]}']]}
    with stub_cloud() as cloud:
        board = resource("CloudWatch::Dashboard", DashboardName="natdrain", DashboardBody=body)
        deploy(cloud, {"Board": board}, Topic={"Ref": "Topic"})
        shown = cloud.client("cloudwatch").get_dashboard(DashboardName="natdrain")["DashboardBody"]
        assert json.loads(shown)["widgets"][0]["topic"] == cloud.outputs["Topic"]


def test_queue_has_the_later_of_two_policies_in_a_template() -> None:
    def policy(action: str) -> Any:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action}]}
        return resource("SQS::QueuePolicy", PolicyDocument=document, Queues=[{"Ref": "Queue"}])

    with stub_cloud() as cloud:
        more = {"Queue": resource("SQS::Queue"), "One": policy("sqs:One"), "Two": policy("sqs:Two")}
        deploy(cloud, more, Queue={"Ref": "Queue"})
        answer = cloud.client("sqs").get_queue_attributes(
            QueueUrl=cloud.outputs["Queue"], AttributeNames=["Policy"]
        )
        assert json.loads(answer["Attributes"]["Policy"])["Statement"][0]["Action"] == "sqs:Two"


def table(*indexes: str) -> dict[str, Any]:
    """Return a table with global secondary indexes on these attributes."""

    def key(*names: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": name, "KeyType": kind}
            for name, kind in zip(names, ["HASH", "RANGE"], strict=False)
        ]

    made = resource(
        "DynamoDB::Table",
        TableName="records",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("Gateway", "Record", *indexes)
        ],
        KeySchema=key("Gateway", "Record"),
    )
    if indexes:
        made["Properties"]["GlobalSecondaryIndexes"] = [
            {
                "IndexName": f"By{name}",
                "KeySchema": key(name, "Record"),
                "Projection": {"ProjectionType": "ALL"},
            }
            for name in indexes
        ]
    return {"Records": made}


def found(cloud: StubCloud, value: str) -> list[str]:
    answer = cloud.client("dynamodb").query(
        TableName="records",
        IndexName="ByIp",
        KeyConditionExpression="Ip = :ip AND #record <= :until",
        ExpressionAttributeNames={"#record": "Record"},
        ExpressionAttributeValues={":ip": {"S": value}, ":until": {"S": "b"}},
        ScanIndexForward=False,
    )
    return [item["Record"]["S"] for item in answer["Items"]]


def put(cloud: StubCloud, record: str) -> None:
    item = {"Gateway": {"S": "nat"}, "Record": {"S": record}, "Ip": {"S": "203.0.113.7"}}
    cloud.client("dynamodb").put_item(TableName="records", Item=item)


def test_table_of_a_template_is_queried_by_its_global_secondary_index() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, table("Ip"))
        for record in "abc":
            put(cloud, record)
        assert found(cloud, "203.0.113.7") == ["b", "a"]


def test_update_of_a_table_indexes_existing_items_in_a_new_index() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, table())
        put(cloud, "a")
        deploy(cloud, table("Ip"), update=True)
        assert found(cloud, "203.0.113.7") == ["a"]


def test_update_of_a_table_keeps_its_items_when_an_index_is_removed() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, table("Ip"))
        put(cloud, "a")
        deploy(cloud, table(), update=True)
        described = cloud.client("dynamodb").describe_table(TableName="records")["Table"]
        assert (described.get("GlobalSecondaryIndexes", []), described["ItemCount"]) == ([], 1)
