"""Resource types that moto's CloudFormation lacks, made through their own APIs.

A direct subclass of moto's CloudFormationModel registers itself.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from moto.core.common_models import CloudFormationModel

from natdrain_sim.clients import client_of


class _MadeByItsApi:
    """One whose update is another in its place; what moto wants of a resource, in terms of three methods."""

    TYPE: ClassVar[str]
    SERVICE: ClassVar[str]

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.physical_resource_id, self._attributes = name, attributes

    @classmethod
    def make(cls, client: Any, name: str, properties: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
        """Create it; returns what `Ref` and what `Fn::GetAtt` give. `name` is for one that has none."""
        raise NotImplementedError

    @classmethod
    def remove(cls, client: Any, name: str) -> None:
        """Delete the one that `Ref` gives; a policy is left where it is, since nothing evaluates it."""

    @classmethod
    def cloudformation_type(cls) -> str:
        """Its name in a template."""
        return cls.TYPE

    def get_cfn_attribute(self, name: str) -> str:
        """Answer `Fn::GetAtt`."""
        return self._attributes[name]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,  # noqa: ARG003 - moto's
        region_name: str,
        **_: Any,
    ) -> Self:
        """Create it."""
        made = cls.make(client_of(cls.SERVICE, region_name), resource_name, cloudformation_json["Properties"])
        return cls(*made)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Self:
        """Put another in its place."""
        there = (cloudformation_json, account_id, region_name)
        cls.delete_from_cloudformation_json(original_resource.physical_resource_id, *there)
        return cls.create_from_cloudformation_json(new_resource_name, *there)

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,  # noqa: ARG003 - moto's
        account_id: str,  # noqa: ARG003 - moto's
        region_name: str,
    ) -> None:
        """Delete it."""
        cls.remove(client_of(cls.SERVICE, region_name), resource_name)


class Alarm(_MadeByItsApi, CloudFormationModel):
    """Its properties are the parameters of PutMetricAlarm."""

    TYPE, SERVICE = "AWS::CloudWatch::Alarm", "cloudwatch"

    @classmethod
    def make(cls, client: Any, name: str, properties: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
        """Create it."""
        alarm = {"AlarmName": name, **properties}
        client.put_metric_alarm(**alarm)
        (there,) = client.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
        return there["AlarmName"], {"Arn": there["AlarmArn"]}

    @classmethod
    def remove(cls, client: Any, name: str) -> None:
        """Delete it."""
        client.delete_alarms(AlarmNames=[name])


class QueuePolicy(_MadeByItsApi, CloudFormationModel):
    """Kept at its queues, over whatever is there; nothing evaluates it."""

    TYPE, SERVICE = "AWS::SQS::QueuePolicy", "sqs"

    @classmethod
    def make(cls, client: Any, name: str, properties: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
        """Put it on every queue."""
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        for url in properties["Queues"]:
            client.set_queue_attributes(QueueUrl=url, Attributes=policy)
        return name, {}


class Schedule(_MadeByItsApi, CloudFormationModel):
    """Its properties are the parameters of CreateSchedule."""

    TYPE, SERVICE = "AWS::Scheduler::Schedule", "scheduler"

    @classmethod
    def make(cls, client: Any, name: str, properties: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
        """Create it."""
        schedule = {"Name": name, **properties}
        return schedule["Name"], {"Arn": client.create_schedule(**schedule)["ScheduleArn"]}

    @classmethod
    def remove(cls, client: Any, name: str) -> None:
        """Delete it, from the default group."""
        client.delete_schedule(Name=name)


class Subscription(_MadeByItsApi, CloudFormationModel):
    """Its properties but three are attributes of a subscription, which are text."""

    TYPE, SERVICE = "AWS::SNS::Subscription", "sns"

    @classmethod
    def make(cls, client: Any, _: str, properties: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
        """Subscribe."""
        whole = {name: properties.pop(name) for name in ("TopicArn", "Protocol", "Endpoint")}
        attributes = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in properties.items()
            if value is not False  # which moto would take for true
        }
        subscribed = client.subscribe(**whole, Attributes=attributes, ReturnSubscriptionArn=True)
        return subscribed["SubscriptionArn"], {"Arn": subscribed["SubscriptionArn"]}

    @classmethod
    def remove(cls, client: Any, name: str) -> None:
        """Unsubscribe."""
        client.unsubscribe(SubscriptionArn=name)


class TopicPolicy(_MadeByItsApi, CloudFormationModel):
    """Kept at its topics, over whatever is there; nothing evaluates it."""

    TYPE, SERVICE = "AWS::SNS::TopicPolicy", "sns"

    @classmethod
    def make(cls, client: Any, name: str, properties: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
        """Put it on every topic."""
        policy = json.dumps(properties["PolicyDocument"])
        for arn in properties["Topics"]:
            client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        return name, {}
