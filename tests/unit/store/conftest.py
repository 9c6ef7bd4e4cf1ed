"""A table in moto's DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from natdrain.aws import clients
from natdrain.store.table import Table


@pytest.fixture(scope="session")
def client() -> Any:
    return boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",  # noqa: S106 - any will do
    )


@pytest.fixture
def table(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    keys = {"NatGatewayId": "HASH", "Record": "RANGE"}
    with mock_aws():
        client.create_table(
            TableName="Storage",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        monkeypatch.setattr(clients, "dynamodb", lambda: client)
        yield Table("Storage")
