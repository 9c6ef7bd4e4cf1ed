"""Delivery by EventBridge and its Scheduler to a target, or else to the target's dead-letter queue.

Targets are state machines, topics and queues, and for rules also those that moto supports. There are no
retries here; AWS retries for up to 24 hours and 185 times by default.
"""

from collections.abc import Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.events.models import Rule
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from natdrain_sim import calls
from natdrain_sim.clients import client_of
from natdrain_sim.events.target_inputs import input_of, minified
from natdrain_sim.seams import Seam

_EVENTBRIDGE = "events.amazonaws.com"
"""The role of calls to targets that have no role, such as topics and queues."""
_SERVICES = {"states", "sns", "sqs"}


def deliver(target: Mapping[str, Any], text: str, *, dead_letter: str, attributes: Mapping[str, str]) -> None:
    """Send an input to a target, or on an error a message to its dead-letter queue.

    Besides `attributes` the dead letter has those that the user guides of EventBridge and EventBridge
    Scheduler document; the error code is that of the target's API. Without a queue it is lost.
    """
    try:
        with calls.acting_as(target.get("RoleArn") or _EVENTBRIDGE):
            _send(target, text)
    except ClientError as error:
        error_attributes = {
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": error.response["Error"]["Code"],
            "ERROR_MESSAGE": error.response["Error"]["Message"],
            "RETRY_ATTEMPTS": "0",
        }
        if arn := target.get("DeadLetterConfig", {}).get("Arn"):
            _send_dead_letter(arn, dead_letter, {**attributes, **error_attributes})


def _send_dead_letter(arn: str, text: str, attributes: Mapping[str, str]) -> None:
    queue = parse_arn(arn)
    backend = sqs_backends[queue.account][queue.region]
    if queue.resource_id in backend.queues:
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        backend.send_message(queue.resource_id, text, typed)


def _send(target: Mapping[str, Any], text: str) -> None:
    arn = parse_arn(target["Arn"])
    if arn.service == "sns":
        client_of("sns", arn.region).publish(TopicArn=target["Arn"], Message=text)
    elif arn.service == "sqs":
        url = f"https://sqs.{arn.region}.amazonaws.com/{arn.account}/{arn.resource_id}"
        fifo = target.get("SqsParameters", {})
        client_of("sqs", arn.region).send_message(QueueUrl=url, MessageBody=text, **fifo)
    else:
        client = client_of("stepfunctions", arn.region)
        client.start_execution(stateMachineArn=target["Arn"], input=text)


def seams() -> Iterator[Seam]:
    """Yield the seam where a rule sends an event to its targets."""
    send = Rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's
        event = _as_sent(original_event)
        if self.state != "ENABLED" or not self.event_pattern.matches_event(event):
            return
        ours = [target for target in self.targets if parse_arn(target["Arn"]).service in _SERVICES]
        for target in ours:
            text = input_of(target, event, self)
            deliver(target, text, dead_letter=minified(event), attributes={"RULE_ARN": self.arn})
        others = copy(self)
        others.targets = [target for target in self.targets if target not in ours]
        send(others, original_event, transform_input)

    yield Rule, "send_to_targets", send_to_targets


def _as_sent(original_event: Any) -> Any:
    """Return the event as EventBridge sends it; moto keeps its time as a number and adds another one."""
    event = {key: value for key, value in original_event.items() if key != "ingestion-time"}
    if not isinstance(event["time"], str):
        event["time"] = f"{datetime.fromtimestamp(float(event['time']), UTC):%Y-%m-%dT%H:%M:%SZ}"
    return event
