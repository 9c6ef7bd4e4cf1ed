"""The handlers and the template of the stub workflow on which the embedded cloud is proven."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3

from natdrain_sim.calls import Fault, Recorder
from natdrain_sim.clock import Clock
from natdrain_sim.embedding import embedded

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REGION = "eu-central-1"

logger = logging.getLogger("stub")
logger.addHandler(logging.StreamHandler(sys.stdout))


class NotReadyError(Exception):
    pass


def look(event: dict[str, Any], context: Any) -> dict[str, Any]:
    print(json.dumps({"looking": event}))  # noqa: T201 - as Powertools does
    logger.warning("logged by the handler")
    boto3.client("ec2").describe_nat_gateways()
    return {
        "event": event,
        "environment": dict(os.environ),
        "arn": context.invoked_function_arn,
        "remaining": context.get_remaining_time_in_millis(),
        "module": __name__,
    }


def fail(event: dict[str, Any], _context: Any) -> None:
    raise NotReadyError(event.get("message", 'a "quote"\nand a new line\\'))


def role(name: str, service: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        },
    }


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def function(handler: str, role_id: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"S3Bucket": {"Fn::Sub": "cdk-assets-${AWS::AccountId}"}, "S3Key": "1234.zip"},
            "Handler": f"{__name__}.{handler}",
            "Role": {"Fn::GetAtt": [role_id, "Arn"]},
            "Runtime": "python3.13",
            "MemorySize": 256,
            "Timeout": 30,
            "Architectures": ["arm64"],
            "TracingConfig": {"Mode": "Active"},
            "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
        },
    }


def template(definition: dict[str, Any], more: dict[str, Any] | None = None, version: str = "A") -> str:
    """Return the stub with these resources, and a version of `Look` that is new when its name changes."""
    look_function = function("look", "LookRole")
    look_function["Properties"]["Environment"]["Variables"]["VERSION"] = version
    look_function["Properties"]["LoggingConfig"] = {"LogGroup": {"Ref": "LookLogs"}}
    statement = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}
    return json.dumps(
        {
            "Parameters": {
                "BootstrapVersion": {
                    "Type": "AWS::SSM::Parameter::Value<String>",
                    "Default": "/cdk-bootstrap/hnb659fds/version",
                }
            },
            "Resources": {
                "LookRole": role("look-role", "lambda.amazonaws.com"),
                "FailRole": role("fail-role", "lambda.amazonaws.com"),
                "MachineRole": role("machine-role", "states.amazonaws.com"),
                "LookPolicy": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {
                        "PolicyName": "look",
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
                        "Roles": [{"Ref": "LookRole"}],
                    },
                },
                "LookLogs": {
                    "Type": "AWS::Logs::LogGroup",
                    "Properties": {"RetentionInDays": 30},
                    "DeletionPolicy": "Retain",
                },
                "Look": look_function,
                "Fail": function("fail", "FailRole"),
                f"LookVersion{version}": {
                    "Type": "AWS::Lambda::Version",
                    "Properties": {"FunctionName": {"Ref": "Look"}},
                    "DeletionPolicy": "Retain",
                },
                "Table": {
                    "Type": "AWS::DynamoDB::Table",
                    "Properties": {
                        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
                        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
                        "BillingMode": "PAY_PER_REQUEST",
                        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                        "SSESpecification": {"SSEEnabled": True},
                    },
                },
                "Machine": {
                    "Type": "AWS::StepFunctions::StateMachine",
                    "Properties": {
                        "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
                        "DefinitionString": json.dumps(definition),
                        "DefinitionSubstitutions": {
                            "Look": {"Ref": f"LookVersion{version}"},
                            "Fail": {"Fn::GetAtt": ["Fail", "Arn"]},
                            "Table": {"Ref": "Table"},
                        },
                    },
                },
                "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:x"}},
                **(more or {}),
            },
            "Outputs": {
                "MachineArn": {"Value": {"Ref": "Machine"}},
                "LookArn": {"Value": {"Ref": f"LookVersion{version}"}},
                "FailName": {"Value": {"Ref": "Fail"}},
                "TableName": {"Value": {"Ref": "Table"}},
                "LookLogs": {"Value": {"Ref": "LookLogs"}},
            },
        }
    )


@cache
def client_of(service: str) -> Any:
    """Return one client for all tests, because to make one costs more than most tests do."""
    return boto3.Session("example", "example", region_name=REGION).client(service)


@dataclass
class StubCloud:
    clock: Clock
    recorder: Recorder = field(default_factory=Recorder)
    outputs: dict[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return client_of(service)

    def deploy(self, template_body: str, *, update: bool = False) -> None:
        """Create or update the stack, and forget the calls that it took."""
        self.client("ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String", Overwrite=True
        )
        stacks = self.client("cloudformation")
        change = stacks.update_stack if update else stacks.create_stack
        change(StackName="stub", TemplateBody=template_body, Capabilities=["CAPABILITY_NAMED_IAM"])
        (stack,) = stacks.describe_stacks(StackName="stub")["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.recorder.calls.clear()

    def start(self, name: str = "one", event: Any = None) -> str:
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["MachineArn"], name=name, input=json.dumps(event or {})
        )
        return str(started["executionArn"])

    def inputs(self) -> list[Any]:
        """Return the input of every execution so far, in the order of their start."""
        machine = self.outputs["MachineArn"]
        listed = self.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        arns = [one["executionArn"] for one in sorted(listed, key=lambda one: one["startDate"])]
        return [json.loads(self.describe(arn)["input"]) for arn in arns]

    def dead_letters(self) -> list[Any]:
        """Return the messages of the queue whose URL is the output `QueueUrl`."""
        answer = self.client("sqs").receive_message(
            QueueUrl=self.outputs["QueueUrl"], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def describe(self, arn: str) -> Any:
        return self.client("stepfunctions").describe_execution(executionArn=arn)

    def run(self, event: Any = None, name: str = "one") -> Any:
        arn = self.start(name, event)
        self.clock.run_until(lambda: self.describe(arn)["status"] != "RUNNING")
        return self.describe(arn)

    def inject(self, **fault: Any) -> None:
        self.recorder.faults = (*self.recorder.faults, Fault(**fault))


@contextmanager
def stub_cloud(*states: dict[str, Any]) -> Iterator[StubCloud]:
    """Return a cloud in which the stub is deployed, with these states one after the other."""
    with Clock(START) as clock:
        cloud = StubCloud(clock)
        with embedded(clock, cloud.recorder):
            if states:
                cloud.deploy(template(chain(*states)))
            yield cloud


def chain(*states: dict[str, Any]) -> dict[str, Any]:
    """Return a definition whose unnamed states run one after the other; a state with a Name keeps it."""
    names = [state.get("Name", f"State {index}") for index, state in enumerate(states)]
    definition: dict[str, Any] = {"QueryLanguage": "JSONata", "StartAt": names[0], "States": {}}
    for name, state, following in zip(names, states, [*names[1:], None], strict=True):
        body = {key: value for key, value in state.items() if key != "Name"}
        if body["Type"] not in {"Choice", "Fail", "Succeed"} and "Next" not in body and "End" not in body:
            body |= {"Next": following} if following else {"End": True}
        definition["States"][name] = body
    return definition


def invoke(function_name: str, **fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function_name, "Payload": "{% $states.input %}"},
        **fields,
    }
