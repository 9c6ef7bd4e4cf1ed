"""How EventBridge and its Scheduler reach a state machine, or else the target's dead-letter queue.

Neither retries here: AWS goes on for up to 24 hours and 185 attempts by default.
"""

import json
from collections.abc import Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from jsonpath_ng.ext.parser import parse
from moto.events.models import Rule
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from natdrain_sim import calls
from natdrain_sim.seams import Seam


def deliver(target: Mapping[str, Any], text: str, *, undelivered: str, about: Mapping[str, str]) -> None:
    """Start an execution of the target's state machine with this input.

    If that fails, `undelivered` goes to the target's dead-letter queue, with the attributes that the user
    guides of EventBridge and EventBridge Scheduler document, some in `about`. Without a queue it is lost.
    """
    try:
        with calls.acting_as(target["RoleArn"]):
            _client(parse_arn(target["Arn"]).region).start_execution(
                stateMachineArn=target["Arn"], input=text
            )
    except ClientError as error:
        told = {
            **about,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": error.response["Error"]["Code"],
            "ERROR_MESSAGE": error.response["Error"]["Message"],
            "RETRY_ATTEMPTS": "0",
        }
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items()}
        if arn := target.get("DeadLetterConfig", {}).get("Arn"):
            queue = parse_arn(arn)
            backend = sqs_backends[queue.account][queue.region]
            if queue.resource_id in backend.queues:
                backend.send_message(queue.resource_id, undelivered, attributes)


@cache
def _client(region: str) -> Any:
    """One for all threads, since making one is not safe in several; a failure is answered at once."""
    once = Config(retries={"total_max_attempts": 1})
    return boto3.Session("any", "any", region_name=region).client("stepfunctions", config=once)


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    send = Rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's
        event = _as_sent(original_event)
        if self.state != "ENABLED" or not self.event_pattern.matches_event(event):
            return
        ours = [target for target in self.targets if parse_arn(target["Arn"]).service == "states"]
        for target in ours:
            whole = json.dumps(event)
            deliver(target, _input(target, event, whole), undelivered=whole, about={"RULE_ARN": self.arn})
        others = copy(self)
        others.targets = [target for target in self.targets if target not in ours]
        send(others, original_event, transform_input)

    yield Rule, "send_to_targets", send_to_targets


def _as_sent(original_event: Any) -> Any:
    """The event as EventBridge sends it: moto keeps instants as numbers, and adds one of its own."""
    event = {key: value for key, value in original_event.items() if key != "ingestion-time"}
    if not isinstance(event["time"], str):
        event["time"] = f"{datetime.fromtimestamp(float(event['time']), UTC):%Y-%m-%dT%H:%M:%SZ}"
    return event


def _input(target: Mapping[str, Any], event: Any, whole: str) -> str:
    if "InputTransformer" in target:
        raise NotImplementedError("the embedded cloud knows no input transformers")
    if "InputPath" in target:
        return json.dumps(parse(target["InputPath"]).find(event)[0].value)
    return str(target.get("Input", whole))
