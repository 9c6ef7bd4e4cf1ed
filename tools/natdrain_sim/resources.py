"""Resource types that moto's CloudFormation lacks. A subclass registers itself, in moto's shape.

A place is an account and a region.
"""

import json
from typing import Any

import boto3
from moto.core.common_models import CloudFormationModel


class QueuePolicy(CloudFormationModel):
    """`AWS::SQS::QueuePolicy`: kept at its queues; nothing evaluates it."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_type() -> str:
        """Its name in a template."""
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, *place: Any, **_: Any
    ) -> Any:
        """Put the policy on every queue, over whatever is there."""
        properties = cloudformation_json["Properties"]
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        for url in properties["Queues"]:
            boto3.client("sqs", place[1]).set_queue_attributes(QueueUrl=url, Attributes=policy)
        return cls(resource_name)


class Schedule(CloudFormationModel):
    """`AWS::Scheduler::Schedule`, whose properties are the parameters of CreateSchedule."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_type() -> str:
        """Its name in a template."""
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, *place: Any, **_: Any
    ) -> Any:
        """Create it."""
        schedule = {"Name": resource_name, **cloudformation_json["Properties"]}
        boto3.client("scheduler", place[1]).create_schedule(**schedule)
        return cls(schedule["Name"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Any:
        """Put another in its place."""
        there = (cloudformation_json, account_id, region_name)
        cls.delete_from_cloudformation_json(original_resource.physical_resource_id, *there)
        return cls.create_from_cloudformation_json(new_resource_name, *there)

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name: str, _: Any, *place: Any) -> None:
        """Delete it, from the default group."""
        boto3.client("scheduler", place[1]).delete_schedule(Name=resource_name)
