"""The clients of AWS's services, each made once for each execution environment."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_ssm import SSMClient

# Short, so that a function in flight is over soon; the workflow's retries have the patience.
_CONFIG = Config(connect_timeout=2, read_timeout=6, retries={"mode": "standard", "total_max_attempts": 3})
# Where several calls come one after the other, so that all of them fit into a function's timeout.
_BRIEF = _CONFIG.merge(Config(read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}))
# A call that changes something is made once: look before repeating it.
_ONCE = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


@functools.cache
def ec2() -> EC2Client:
    """Return the EC2 client."""
    return boto3.client("ec2", config=_CONFIG)


@functools.cache
def ec2_once() -> EC2Client:
    """Return the EC2 client for calls that change something: it never repeats one."""
    return boto3.client("ec2", config=_ONCE)


@functools.cache
def dynamodb() -> DynamoDBClient:
    """Return the DynamoDB client."""
    return boto3.client("dynamodb", config=_CONFIG)


@functools.cache
def cloudwatch() -> CloudWatchClient:
    """Return the CloudWatch client."""
    return boto3.client("cloudwatch", config=_BRIEF)


@functools.cache
def service_quotas() -> ServiceQuotasClient:
    """Return the Service Quotas client."""
    return boto3.client("service-quotas", config=_BRIEF)


@functools.cache
def ssm() -> SSMClient:
    """Return the Systems Manager client."""
    return boto3.client("ssm", config=_BRIEF)
