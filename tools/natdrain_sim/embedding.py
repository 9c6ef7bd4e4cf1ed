"""moto with the parts that it lacks, on one clock."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from moto import mock_aws
from moto.moto_api._internal import mock_random

from natdrain_sim import calls, ec2
from natdrain_sim.awslambda import functions
from natdrain_sim.clock import Clock
from natdrain_sim.cloudformation import stacks
from natdrain_sim.cloudwatch import alarms, metrics
from natdrain_sim.events import patterns, targets
from natdrain_sim.scheduler import schedules
from natdrain_sim.seams import Seam, replaced
from natdrain_sim.servicequotas import quotas
from natdrain_sim.sns import subscriptions
from natdrain_sim.ssm import change_calendar
from natdrain_sim.stepfunctions import interpreter, status_events


@contextmanager
def embedded(clock: Clock, recorder: calls.Recorder, *, seed: int = 0) -> Iterator[None]:
    """Connect every AWS client of this process to moto; `seed` determines all random values and ids."""
    ec2.install()
    mock_random.seed(seed)
    with (
        mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}),
        replaced(all_seams(clock, recorder, seed)),
    ):
        yield


def all_seams(clock: Clock, recorder: calls.Recorder, seed: int) -> Iterator[Seam]:
    """Return the seams of every service but EC2, whose methods `ec2.install` replaces for good."""
    return chain(
        alarms.seams(),
        calls.seams(recorder, clock),
        change_calendar.seams(),
        stacks.seams(),
        functions.seams(),
        metrics.seams(),
        patterns.seams(),
        quotas.seams(),
        schedules.seams(clock, random.Random(seed)),  # noqa: S311 - a simulation
        interpreter.seams(clock),
        status_events.seams(clock),
        subscriptions.seams(),
        targets.seams(),
    )
