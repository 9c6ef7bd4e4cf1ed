"""Which execution handles what a trigger asks: each trigger is delivered at least once, and handled once."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from botocore.exceptions import ClientError

from natdrain.aws import clients as aws
from natdrain.contract import GatewayRecord as R
from natdrain.intake.request import Request
from natdrain.store import table as tables

__all__ = ["claim", "unclaim"]

CLAIM_SECONDS = 7 * 86_400
"""More than the 24 hours for which EventBridge and its Scheduler try to deliver (EventBridge user guide)."""


def claim(table: str, request: Request, execution: str) -> str:
    """Write down which execution handles what a trigger asks, unless another one does already.

    Returns:
        The execution that handles it.
    """
    item = {
        **_key(request),
        R.REQUEST: tables.to_dynamodb(request.to_json()),
        R.EXECUTION: {"S": execution},
        R.EXPIRES_AT: {"N": str(int(time.time()) + CLAIM_SECONDS)},
    }
    try:
        with aws.transient_failures():
            aws.dynamodb().put_item(
                TableName=table,
                Item=item,
                # A second attempt of the same execution finds what its first one wrote.
                ConditionExpression="attribute_not_exists(#execution) OR #execution = :me",
                ExpressionAttributeNames={"#execution": R.EXECUTION},
                ExpressionAttributeValues={":me": {"S": execution}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if aws.code_of(error) == tables.CONDITION_FAILED:
            failed: Any = error.response  # the stub does not know what this condition adds
            return str(tables.plain(failed["Item"])[R.EXECUTION])
        raise
    return execution


def unclaim(table: str, request: Request, execution: str) -> None:
    """Let what the trigger asks be handled by whoever comes next, if `execution` is the one that did."""
    try:
        with aws.transient_failures():
            aws.dynamodb().delete_item(
                TableName=table,
                Key=_key(request),
                ConditionExpression="#execution = :me",
                ExpressionAttributeNames={"#execution": R.EXECUTION},
                ExpressionAttributeValues={":me": {"S": execution}},
            )
    except ClientError as error:
        if aws.code_of(error) != tables.CONDITION_FAILED:
            raise


def _key(request: Request) -> dict[str, Any]:
    # Without the gateway, since an address may be on another one when its trigger is delivered again; and as
    # a digest, since a key has at most 1,024 bytes (DynamoDB developer guide, quotas).
    asked = [request.trigger and request.trigger.to_json(), request.names]
    return tables.key(R.TRIGGERS, hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest())
