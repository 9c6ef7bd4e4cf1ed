"""Readers of a synthesised template: references resolved to plausible names, statements as sentences."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

CHANGE_FUNCTIONS = (*("ReadRequest", "Validate", "Associate", "Disassociate", "Confirm", "Release"), "Close")
"""The functions that the Change workflow calls."""
FUNCTIONS = (*CHANGE_FUNCTIONS, "Record")

MAIL_AND_PREFIXES = """
messages.emails = ["a@example.com", "b@example.com"]
alarms = { enabled = true, name_prefixes = ["Egress", "Edge"] }
"""
"""A configuration that several tests share, since each takes ten seconds to synthesise."""

Template = dict[str, Any]
TemplateOf = Callable[[str], Template]
RunApplication = Callable[..., "subprocess.CompletedProcess[str]"]

_WHERE = "us-east-1:123456789012"
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "Natdrain",
}
_ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{_WHERE}:table/",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_WHERE}:function:",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{_WHERE}:log-group:",
    "AWS::SQS::Queue": f"arn:aws:sqs:{_WHERE}:",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{_WHERE}:stateMachine:",
}


def of_type(template: Template, kind: str) -> dict[str, Any]:
    """Return all resources of a type, by logical id."""
    return {key: found for key, found in template["Resources"].items() if found["Type"] == kind}


def only(template: Template, kind: str) -> dict[str, Any]:
    """Return the one resource of a type."""
    [found] = of_type(template, kind).values()
    return dict(found)


def state_machine(template: Template, name: str = "Drain") -> dict[str, Any]:
    [found] = [
        found
        for key, found in of_type(template, "AWS::StepFunctions::StateMachine").items()
        if key.startswith(name)
    ]
    return dict(found)


def function(template: Template, name: str) -> dict[str, Any]:
    [found] = [
        found
        for key, found in of_type(template, "AWS::Lambda::Function").items()
        if _name(key) == f"Functions{name}"
    ]
    return dict(found)


def resolve(template: Template, value: Any) -> str:
    """Return what CloudFormation would make of a value; anything unknown is a KeyError."""
    if isinstance(value, str):
        return value
    [(operation, operand)] = value.items()
    if operation == "Fn::Join":
        between, parts = operand
        return str(between).join(resolve(template, part) for part in parts)
    if operation == "Ref" and operand in _PSEUDO:
        return _PSEUDO[operand]
    key, attribute = operand if operation == "Fn::GetAtt" else (operand, operation)
    kind = template["Resources"][key]["Type"]
    if (kind, attribute) == ("AWS::Lambda::Version", "Ref"):
        owner = template["Resources"][key]["Properties"]["FunctionName"]["Ref"]
        return f"{_ARNS['AWS::Lambda::Function']}{_name(owner)}:1"
    if attribute == "Arn" or (kind, attribute) == ("AWS::StepFunctions::StateMachine", "Ref"):
        return _ARNS[kind] + _name(key)
    return {"Ref": _name(key), "Name": _name(key)}[attribute]


def definition(template: Template, name: str = "Drain") -> dict[str, Any]:
    """Return a workflow in States Language."""
    text = state_machine(template, name)["Properties"]["DefinitionString"]
    return dict(json.loads(resolve(template, text)))


def rights(template: Template, role: Any) -> list[str]:
    """Return what a role may and may not do, a sentence for each action on each resource."""
    policies = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if {"Ref": role["Fn::GetAtt"][0]} in policy["Properties"]["Roles"]
    ]
    return sorted({line for policy in policies for said in policy for line in _sentences(template, said)})


def _sentences(template: Template, statement: dict[str, Any]) -> Iterator[str]:
    assert statement.keys() <= {"Effect", "Action", "Resource", "Condition"}, statement
    condition = "".join(
        f" if {operator} {key}={value}"
        for operator, terms in statement.get("Condition", {}).items()
        for key, value in terms.items()
    )
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            short = resolve(template, resource).removeprefix("arn:aws:").replace(f":{_WHERE}:", " ")
            yield f"{statement['Effect']} {action} on {short}{condition}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(logical_id: str) -> str:
    """Return the construct's path, without the hash that the CDK appends."""
    return re.sub("[0-9A-F]{8}$", "", logical_id)
