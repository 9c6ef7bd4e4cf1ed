"""SNS subscriptions of a deleted queue, whose messages go to the subscription's dead-letter queue.

Source: the SNS developer guide, "Amazon SNS dead-letter queues": a deleted endpoint is a client-side error,
which is not retried. If there is no dead-letter queue, the message is lost. In moto Publish fails instead.
"""

import json
from collections.abc import Iterator
from copy import copy
from typing import Any

from moto.sns.models import Subscription
from moto.sqs.exceptions import QueueDoesNotExist

from natdrain_sim.seams import Seam


def seams() -> Iterator[Seam]:
    """Yield the seam where a message is sent to a subscription."""
    send = Subscription.publish

    def publish(self: Subscription, *args: Any, **kwargs: Any) -> None:
        try:
            send(self, *args, **kwargs)
        except QueueDoesNotExist:
            policy = json.loads(self.attributes.get("RedrivePolicy") or "{}")
            if policy.get("deadLetterTargetArn") not in {None, self.endpoint}:
                redirected = copy(self)
                redirected.endpoint = policy["deadLetterTargetArn"]
                publish(redirected, *args, **kwargs)

    yield Subscription, "publish", publish
