"""Events that AWS services send to EventBridge and moto does not."""

import json
from collections.abc import Mapping
from typing import Any

from moto.events.models import events_backends
from moto.utilities.arns import parse_arn


def put(source: str, detail_type: str, resource_arn: str, detail: Mapping[str, Any]) -> None:
    """Put an event about a resource on the default bus of its account and region."""
    entry = {"Source": source, "DetailType": detail_type, "Resources": [resource_arn]}
    arn = parse_arn(resource_arn)
    events_backends[arn.account][arn.region].put_events([{**entry, "Detail": json.dumps(detail)}])
