"""SNS subscriptions whose queue is gone: the message goes to the subscription's dead-letter queue.

Source: the SNS developer guide, "Amazon SNS dead-letter queues": a deleted endpoint is a client-side error,
which is not retried. Without such a queue, or if that is gone too, the message is lost; moto fails Publish.
"""

import json
from collections.abc import Iterator
from copy import copy
from typing import Any

from moto.sns.models import Subscription
from moto.sqs.exceptions import QueueDoesNotExist

from natdrain_sim.seams import Seam


def seams() -> Iterator[Seam]:
    """What to replace in moto: owner, name and replacement."""
    send = Subscription.publish

    def publish(self: Subscription, *message: Any, **given: Any) -> None:
        try:
            send(self, *message, **given)
        except QueueDoesNotExist:
            policy = json.loads(self.attributes.get("RedrivePolicy") or "{}")
            if policy.get("deadLetterTargetArn") not in {None, self.endpoint}:
                instead = copy(self)
                instead.endpoint = policy["deadLetterTargetArn"]
                publish(instead, *message, **given)

    yield Subscription, "publish", publish
