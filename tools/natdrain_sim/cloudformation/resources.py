"""Resource types that moto's CloudFormation lacks; moto registers each direct subclass of its model."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from moto.core.common_models import CloudFormationModel

from natdrain_sim.clients import client_of

_Created = tuple[str, Mapping[str, str]]
"""The values of `Ref` and of `Fn::GetAtt`."""


class _ApiResource:
    """A resource that is created through its own API; an update deletes it and creates it anew."""

    TYPE: ClassVar[str]
    SERVICE: ClassVar[str]

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.physical_resource_id, self._attributes = name, attributes

    @classmethod
    def _create(cls, client: Any, name: str, properties: dict[str, Any]) -> _Created:
        """Create it, by default with this name."""
        raise NotImplementedError

    @classmethod
    def _delete(cls, client: Any, name: str) -> None:
        """Delete the resource with this `Ref`; a policy stays, because nothing evaluates it."""

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return its name in a template."""
        return cls.TYPE

    def get_cfn_attribute(self, name: str) -> str:
        """Return the value of `Fn::GetAtt`."""
        return self._attributes[name]

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Self:
        """Create it through its API."""
        del account_id
        client = client_of(cls.SERVICE, region_name)
        return cls(*cls._create(client, resource_name, cloudformation_json["Properties"]))

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Self:
        """Delete it and create it anew."""
        arguments = (cloudformation_json, account_id, region_name)
        cls.delete_from_cloudformation_json(original_resource.physical_resource_id, *arguments)
        return cls.create_from_cloudformation_json(new_resource_name, *arguments)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        """Delete it through its API."""
        del cloudformation_json, account_id
        cls._delete(client_of(cls.SERVICE, region_name), resource_name)


class Alarm(_ApiResource, CloudFormationModel):
    """An alarm, whose properties are the parameters of PutMetricAlarm."""

    TYPE, SERVICE = "AWS::CloudWatch::Alarm", "cloudwatch"

    @classmethod
    def _create(cls, client: Any, name: str, properties: dict[str, Any]) -> _Created:
        alarm = {"AlarmName": name, **properties}
        client.put_metric_alarm(**alarm)
        (created,) = client.describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
        return created["AlarmName"], {"Arn": created["AlarmArn"]}

    @classmethod
    def _delete(cls, client: Any, name: str) -> None:
        client.delete_alarms(AlarmNames=[name])


class QueuePolicy(_ApiResource, CloudFormationModel):
    """A policy that replaces those of its queues; nothing evaluates it."""

    TYPE, SERVICE = "AWS::SQS::QueuePolicy", "sqs"

    @classmethod
    def _create(cls, client: Any, name: str, properties: dict[str, Any]) -> _Created:
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        for url in properties["Queues"]:
            client.set_queue_attributes(QueueUrl=url, Attributes=policy)
        return name, {}


class Schedule(_ApiResource, CloudFormationModel):
    """A schedule, whose properties are the parameters of CreateSchedule."""

    TYPE, SERVICE = "AWS::Scheduler::Schedule", "scheduler"

    @classmethod
    def _create(cls, client: Any, name: str, properties: dict[str, Any]) -> _Created:
        schedule = {"Name": name, **properties}
        return schedule["Name"], {"Arn": client.create_schedule(**schedule)["ScheduleArn"]}

    @classmethod
    def _delete(cls, client: Any, name: str) -> None:
        client.delete_schedule(Name=name)


class Subscription(_ApiResource, CloudFormationModel):
    """A subscription; all its properties but three are attributes, which are text."""

    TYPE, SERVICE = "AWS::SNS::Subscription", "sns"

    @classmethod
    def _create(cls, client: Any, _: str, properties: dict[str, Any]) -> _Created:
        parameters = {name: properties.pop(name) for name in ("TopicArn", "Protocol", "Endpoint")}
        attributes = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in properties.items()
            if value is not False  # moto treats the text "false" as true
        }
        subscribed = client.subscribe(**parameters, Attributes=attributes, ReturnSubscriptionArn=True)
        return subscribed["SubscriptionArn"], {"Arn": subscribed["SubscriptionArn"]}

    @classmethod
    def _delete(cls, client: Any, name: str) -> None:
        client.unsubscribe(SubscriptionArn=name)


class TopicPolicy(_ApiResource, CloudFormationModel):
    """A policy that replaces those of its topics; nothing evaluates it."""

    TYPE, SERVICE = "AWS::SNS::TopicPolicy", "sns"

    @classmethod
    def _create(cls, client: Any, name: str, properties: dict[str, Any]) -> _Created:
        policy = json.dumps(properties["PolicyDocument"])
        for arn in properties["Topics"]:
            client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        return name, {}
