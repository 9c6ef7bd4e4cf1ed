"""The embedded cloud: moto with the parts that it lacks, the deployed stack, and one simulated clock."""

import json
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

from botocore.exceptions import ClientError
from moto.ec2.exceptions import EC2ClientError

from natdrain_sim import calls, ec2
from natdrain_sim.clients import client_of
from natdrain_sim.clock import Clock
from natdrain_sim.embedding import embedded
from natdrain_sim.scenario import Gateway, Scenario, ScenarioError
from natdrain_sim.synthesis import EXAMPLE, synthesise

_STACK = "Natdrain"
_OPEN_CALENDAR = (
    "BEGIN:VCALENDAR\nPRODID:natdrain\nVERSION:2.0\nX-CALENDAR-TYPE:DEFAULT_OPEN\nEND:VCALENDAR\n"
)
_SETTLING_SECONDS = 60
"""Longer than any lag, so that every view shows the scenario when it begins."""
# The interpreter logs every error that a state catches, and these are already in the execution's history.
logging.getLogger("moto").setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution that has ended; times are simulated seconds since its start."""

    execution_arn: str
    status: str
    error: str | None
    result: Any
    states: tuple[tuple[float, str], ...]
    calls: Mapping[str, int]
    seconds: float
    connections_cut: int


class EmbeddedCloud:
    """A context in which boto3 and the deployed workflow use this cloud and nothing else."""

    def __init__(self, scenario: Scenario | None = None, *, config: Path = EXAMPLE) -> None:
        self.scenario = scenario or Scenario()
        self._config = config
        # The clock starts before the scenario, so that by then its traffic is steady and no lag hides it.
        earlier = timedelta(seconds=_SETTLING_SECONDS + self.scenario.longest_lifetime_seconds)
        self.clock = Clock(self.scenario.start_at - earlier)
        self.recorder = calls.Recorder()
        self.simulation = ec2.Simulation()
        self.outputs: dict[str, str] = {}
        self.gateway_ids: list[str] = []
        self._first_call: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the clock, deploy the stack and build the scenario."""
        with ExitStack() as stack:
            stack.enter_context(_without_aws_settings())
            stack.enter_context(self.clock)
            stack.enter_context(embedded(self.clock, self.recorder, seed=self.scenario.seed))
            self.outputs = self.deploy(self._config)
            try:
                self._build_scenario()
            except (ClientError, EC2ClientError) as error:
                raise ScenarioError(f"EC2 refuses the scenario: {error}") from error
            self.clock.advance(_SETTLING_SECONDS)
            self.recorder.calls.clear()
            self.recorder.faults = self.scenario.fault
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore moto, the clock and the environment."""
        self._stack.close()

    def client(self, service: str) -> Any:
        """Return a boto3 client of this cloud."""
        return client_of(service, ec2.REGION, retry=True)

    @property
    def change_state_machine_arn(self) -> str:
        """Return the ARN of the state machine that changes addresses."""
        return self.outputs["ChangeStateMachineArn"]

    def deploy(self, config: Path, *, stack: str = _STACK) -> dict[str, str]:
        """Create a stack with this configuration and return its outputs."""
        return self._deploy(config, stack, self.client("cloudformation").create_stack)

    def upgrade(self, *, config: Path) -> None:
        """Update the stack to another configuration or to changed sources; running executions continue."""
        self.outputs = self._deploy(config, _STACK, self.client("cloudformation").update_stack)

    def start(self, request: object) -> str:
        """Start an execution of the Change workflow and return its ARN; it runs when the clock is driven."""
        first_call = len(self.recorder.calls)
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.change_state_machine_arn, input=json.dumps(request)
        )
        self._first_call[started["executionArn"]] = first_call
        return str(started["executionArn"])

    def wait(self, execution_arn: str) -> Run:
        """Let simulated time pass until the execution has ended."""
        self.clock.run_until(lambda: self._describe(execution_arn)["status"] != "RUNNING")
        return self.report(execution_arn)

    def run(self, request: object) -> Run:
        """Start an execution and wait for its end."""
        return self.wait(self.start(request))

    def report(self, execution_arn: str) -> Run:
        """Report on an execution that has ended.

        Its calls are the calls of all roles since it was started (if not by `start`, since the beginning), so
        they include those of executions that ran at the same time.
        """
        ended = self._describe(execution_arn)
        calls_since = self.recorder.calls[self._first_call.get(execution_arn, 0) :]
        return Run(
            execution_arn=execution_arn,
            status=ended["status"],
            error=ended.get("error"),
            result=_result(ended),
            states=tuple(self.states(execution_arn)),
            calls=dict(Counter(call.name for call in calls_since if call.role)),
            seconds=(ended["stopDate"] - ended["startDate"]).total_seconds(),
            connections_cut=sum(self.connections_cut(gateway) for gateway in self.gateway_ids),
        )

    def states(self, execution_arn: str) -> list[tuple[float, str]]:
        """Return the states that an execution has entered, each with the seconds since its start."""
        started_at = self._describe(execution_arn)["startDate"]
        events = self.client("stepfunctions").get_execution_history(executionArn=execution_arn)["events"]
        return [
            ((event["timestamp"] - started_at).total_seconds(), event["stateEnteredEventDetails"]["name"])
            for event in events
            if "stateEnteredEventDetails" in event
        ]

    def connections_cut(self, gateway_id: str) -> int:
        """Count the connections through the gateway that have been cut."""
        return sum(self.simulation.cut(gateway_id).values())

    def _describe(self, execution_arn: str) -> Any:
        return self.client("stepfunctions").describe_execution(executionArn=execution_arn)

    def _deploy(self, config: Path, stack: str, change_stack: Callable[..., Any]) -> dict[str, str]:
        template = synthesise(config)
        # The template reads the version of `cdk bootstrap`.
        for parameter in template["Parameters"].values():
            self.client("ssm").put_parameter(
                Name=parameter["Default"], Value="30", Type="String", Overwrite=True
            )
        self._create_calendars(template)
        change_stack(StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        (made,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}

    def _create_calendars(self, template: Mapping[str, Any]) -> None:
        """Create the change calendars that the functions may read, open at all times."""
        calendar = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT", "Content": _OPEN_CALENDAR}
        listed = self.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])
        existing = {document["Name"] for document in listed["DocumentIdentifiers"]}
        for name in sorted({*re.findall(r':document/([\w.-]+)"', json.dumps(template))} - existing):
            self.client("ssm").create_document(Name=name, **calendar)

    def _build_scenario(self) -> None:
        self.simulation.configure(lags=self.scenario.lags, seed=self.scenario.seed)
        self.simulation.set_quota(self.scenario.eips_per_nat_gateway)
        if not self.scenario.gateway:
            return
        vpc = self.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        place = {"CidrBlock": "10.0.0.0/24", "AvailabilityZone": f"{ec2.REGION}a"}
        subnet = self.client("ec2").create_subnet(VpcId=vpc, **place)["Subnet"]["SubnetId"]
        self.gateway_ids = [self._add_gateway(subnet, gateway) for gateway in self.scenario.gateway]
        self.clock.advance(self.scenario.longest_lifetime_seconds)
        for gateway_id, gateway in zip(self.gateway_ids, self.scenario.gateway, strict=True):
            self._set_initial_state(gateway_id, gateway)

    def _add_gateway(self, subnet: str, gateway: Gateway) -> str:
        allocations = [
            self.simulation.add_address(
                allocation_id=address.allocation_id,
                public_ip=address.public_ip,
                tags=address.tags,
                border_group=address.border_group,
            )
            for address in gateway.address
        ]
        gateway_id = self.simulation.add_nat_gateway(
            subnet,
            allocations,
            zones=[address.zone for address in gateway.address if address.zone],
            automatic=gateway.automatic,
            gateway_id=gateway.gateway_id,
            association_ids=[address.association_id for address in gateway.address],
            private_ips=[address.private_ip for address in gateway.address],
            tags=gateway.tags,
        )
        if gateway.traffic:
            self.simulation.add_traffic(gateway_id, **asdict(gateway.traffic), seed=self.scenario.seed)
        return gateway_id

    def _set_initial_state(self, gateway_id: str, gateway: Gateway) -> None:
        """Open connections, start drains and set the gateway's state as the scenario says."""
        associations = self.simulation.connections(gateway_id)
        # AWS may have added an address that the scenario does not list.
        for association_id, address in zip(associations, gateway.address, strict=False):
            for lifetime in address.connections:
                self.simulation.add_connection(
                    gateway_id, association_id, lifetime_seconds=lifetime + _SETTLING_SECONDS
                )
            if address.fails_with:
                self.simulation.fail_when_drained(association_id, address.fails_with)
            if address.draining_with_limit:
                self.client("ec2").disassociate_nat_gateway_address(
                    NatGatewayId=gateway_id,
                    AssociationIds=[association_id],
                    MaxDrainDurationSeconds=address.draining_with_limit,
                )
        if gateway.state != "available":
            self.simulation.set_gateway_state(gateway_id, gateway.state)


@contextmanager
def _without_aws_settings() -> Iterator[None]:
    """Hide the user's AWS settings: an endpoint or a profile would lead out of this cloud."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with patch.dict(os.environ, {**others, **files}, clear=True), patch("boto3.DEFAULT_SESSION", None):
        yield


def _result(ended: Mapping[str, Any]) -> Any:
    """Return the result: the output of a success or the cause of a failure."""
    text = ended.get("output") or ended.get("cause")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
