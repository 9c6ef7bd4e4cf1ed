"""How EventBridge and its Scheduler reach their targets, or else the target's dead-letter queue.

Targets are state machines, topics and queues; rules also reach what moto reaches. Neither retries here: AWS
goes on for up to 24 hours and 185 attempts by default.
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
from natdrain_sim.events.target_inputs import compact, input_of
from natdrain_sim.seams import Seam

_EVENTBRIDGE = "events.amazonaws.com"
"""Who acts when a target names no role, as with topics and queues."""
_SERVICES = {"states", "sns", "sqs"}


def deliver(target: Mapping[str, Any], text: str, *, undelivered: str, about: Mapping[str, str]) -> None:
    """Give this input to the target.

    If that fails, `undelivered` goes to the target's dead-letter queue, with the attributes that the user
    guides of EventBridge and EventBridge Scheduler document, some in `about`; the code is the API's own.
    Without a queue it is lost.
    """
    try:
        with calls.acting_as(target.get("RoleArn") or _EVENTBRIDGE):
            _send(target, text)
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
    """What to replace in moto: owner, name and replacement."""
    send = Rule.send_to_targets

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's
        event = _as_sent(original_event)
        if self.state != "ENABLED" or not self.event_pattern.matches_event(event):
            return
        ours = [target for target in self.targets if parse_arn(target["Arn"]).service in _SERVICES]
        for target in ours:
            text = input_of(target, event, self)
            deliver(target, text, undelivered=compact(event), about={"RULE_ARN": self.arn})
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
