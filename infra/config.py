"""What a deployment may choose, from the CDK's context (`cdk deploy -c natdrain:tracing=false`)."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_logs as logs
from constructs import Node

__all__ = ["Config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The choices of a deployment, each with its default."""

    tracing: bool = True
    """AWS X-Ray on workflow and functions."""

    log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS
    """How long logs are kept."""

    @classmethod
    def from_context(cls, node: Node) -> Config:
        """Read `natdrain:tracing` (true or false); everything else has its default.

        Raises:
            ValueError: naming the key, its value and what is allowed.
        """
        tracing = node.try_get_context("natdrain:tracing")
        known = {None: True, True: True, False: False, "true": True, "false": False}
        if tracing not in known:
            raise ValueError(f"natdrain:tracing is {tracing!r}; allowed are true and false.")
        return cls(tracing=known[tracing])
