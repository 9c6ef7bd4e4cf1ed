"""SNS topics and their subscriptions."""

import json
from typing import Any

from support.stub_functions import StubCloud, chain, resource, stub_cloud, template

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sns:Publish"}]}


def deploy(cloud: StubCloud, **subscription: Any) -> None:
    """Deploy a topic with subscriptions by a queue and by e-mail, and a dead-letter queue."""
    dead = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}
    to_queue = {
        "TopicArn": {"Ref": "Topic"},
        "Protocol": "sqs",
        "Endpoint": {"Fn::GetAtt": ["Copies", "Arn"]},
        "RawMessageDelivery": True,
        "RedrivePolicy": dead,
        **subscription,
    }
    to_people = {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "people@example.com"}
    more = {
        "Topic": resource("SNS::Topic", DisplayName="natdrain"),
        "TopicPolicy": resource("SNS::TopicPolicy", PolicyDocument=POLICY, Topics=[{"Ref": "Topic"}]),
        "Copies": resource("SQS::Queue"),
        "Dead": resource("SQS::Queue"),
        "ToQueue": resource("SNS::Subscription", **to_queue),
        "ToPeople": resource("SNS::Subscription", **to_people, RedrivePolicy=dead),
    }
    whole = json.loads(template(chain({"Type": "Succeed"}), more))
    for name in ("Topic", "Copies", "Dead"):
        whole["Outputs"][name] = {"Value": {"Ref": name}}
    cloud.deploy(json.dumps(whole))


def publish(cloud: StubCloud, message: str = "It left.") -> None:
    cloud.client("sns").publish(TopicArn=cloud.outputs["Topic"], Message=message)


def received(cloud: StubCloud, queue: str) -> list[str]:
    answer = cloud.client("sqs").receive_message(QueueUrl=cloud.outputs[queue], MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_topic_of_a_template_has_its_policy_and_its_subscriptions() -> None:
    with stub_cloud() as cloud:
        deploy(cloud)
        sns, arn = cloud.client("sns"), cloud.outputs["Topic"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        assert (attributes["DisplayName"], json.loads(attributes["Policy"])) == ("natdrain", POLICY)
        there = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        assert {one["Protocol"] for one in there} == {"sqs", "email"}


def test_topic_delivers_the_bare_message_to_a_raw_subscription() -> None:
    with stub_cloud() as cloud:
        deploy(cloud)
        publish(cloud)
        assert (received(cloud, "Copies"), received(cloud, "Dead")) == (["It left."], [])


def test_topic_delivers_an_envelope_to_a_subscription_that_is_not_raw() -> None:
    with stub_cloud() as cloud:
        deploy(cloud, RawMessageDelivery=False)
        publish(cloud)
        assert json.loads(received(cloud, "Copies")[0])["Message"] == "It left."


def test_topic_uses_the_dead_letter_queue_when_the_subscribed_queue_is_deleted() -> None:
    with stub_cloud() as cloud:
        deploy(cloud)
        cloud.client("sqs").delete_queue(QueueUrl=cloud.outputs["Copies"])
        publish(cloud)
        assert received(cloud, "Dead") == ["It left."]


def test_topic_loses_the_message_when_the_dead_letter_queue_is_deleted_too() -> None:
    with stub_cloud() as cloud:
        deploy(cloud)
        for name in ("Copies", "Dead"):
            cloud.client("sqs").delete_queue(QueueUrl=cloud.outputs[name])
        publish(cloud)
        names = [call.name for call in cloud.recorder.calls if call.error]
        assert names == []


def test_subscription_is_deleted_when_the_template_drops_it() -> None:
    with stub_cloud() as cloud:
        deploy(cloud)
        stack = cloud.client("cloudformation").get_template(StackName="stub")["TemplateBody"]
        del stack["Resources"]["ToPeople"]
        cloud.deploy(json.dumps(stack), update=True)
        there = cloud.client("sns").list_subscriptions()["Subscriptions"]
        assert [one["Protocol"] for one in there] == ["sqs"]
