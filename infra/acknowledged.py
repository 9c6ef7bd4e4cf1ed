"""Acknowledged findings of cdk-nag, each with its reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

XRAY = "X-Ray's actions cannot be narrowed to a resource (Service Authorization Reference, AWS X-Ray)."
DESCRIBE = (
    "EC2's describe actions cannot be narrowed to a resource (Service Authorization Reference, Amazon EC2)."
)
METRICS = (
    "CloudWatch's metrics of AWS services cannot be narrowed to a resource (Service Authorization Reference, "
    "Amazon CloudWatch)."
)
QUOTAS = (
    "Reads of service quotas cannot be narrowed to a resource (Service Authorization Reference, Service "
    "Quotas)."
)
LOG_DELIVERY = (
    "CloudWatch Logs' delivery actions cannot be narrowed to a resource (Step Functions developer guide, "
    "logging using CloudWatch Logs)."
)
TAGS_NARROW_IT = (
    "The gateways and Elastic IPs are not known at deployment; conditions on their tags narrow this, "
    "and the network interface, which has no tags, cannot be drained without them."
)
NOT_TRACED = "The deployment has switched tracing off."
OWN_EXECUTIONS = "Only executions of this state machine, whose names are not known at deployment."
OWN_VERSIONS = "Every version of the workflow's own functions: a running execution survives an upgrade."
TESTED_RUNTIME = "The functions are tested on Python 3.13, which Lambda supports."

DEAD_LETTERS = "It is itself the dead-letter queue."

_EC2 = "arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge a rule of the AwsSolutions pack on a construct and all within it."""
    Validations.of(construct).acknowledge(
        Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    )


def acknowledge_wildcards(construct: IConstruct, *reasons: str) -> None:
    """Acknowledge the resource `*`, for all the given reasons."""
    acknowledge(construct, "IAM5[Resource::*]", " ".join(reasons))


def acknowledge_tagged_resources(construct: IConstruct, *kinds: str) -> None:
    """Acknowledge rights on all EC2 resources of these kinds, narrowed by conditions on tags."""
    for kind in kinds:
        acknowledge(construct, f"IAM5[Resource::{_EC2}{kind}/*]", TAGS_NARROW_IT)
