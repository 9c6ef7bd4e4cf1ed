from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber

from natdrain.aws import clients


def stubbed(service: str, monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[Stubber]:
    client = boto3.client(  # type: ignore[call-overload]  # the service is any
        service,
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",  # noqa: S106 - any will do
    )
    for name in names or (service,):
        monkeypatch.setattr(clients, name, lambda: client)
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from stubbed("cloudwatch", monkeypatch)


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from stubbed("ssm", monkeypatch)


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from stubbed("ec2", monkeypatch, "ec2", "ec2_once")


@pytest.fixture
def service_quotas(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    yield from stubbed("service-quotas", monkeypatch, "service_quotas")
