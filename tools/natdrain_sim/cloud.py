"""The embedded cloud: moto with its gaps filled, the stack deployed, one simulated clock."""

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
"""More than any lag: what the scenario begins with is seen by everybody when it begins."""
# The interpreter logs every error that a state catches; the history tells these already.
logging.getLogger("moto").setLevel(logging.CRITICAL)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution, when it has ended: instants are seconds of simulated time since it began."""

    execution_arn: str
    status: str
    error: str | None
    result: Any
    states: tuple[tuple[float, str], ...]
    calls: Mapping[str, int]
    seconds: float
    connections_cut: int


class EmbeddedCloud:
    """A context: inside, boto3 and the deployed workflow talk to this cloud and to nothing else."""

    def __init__(self, scenario: Scenario | None = None, *, config: Path = EXAMPLE) -> None:
        self.scenario = scenario or Scenario()
        self._config = config
        # Begun early enough that traffic has settled and nothing is hidden by a lag any more.
        earlier = timedelta(seconds=_SETTLING_SECONDS + self.scenario.longest_lifetime_seconds)
        self.clock = Clock(self.scenario.start_at - earlier)
        self.recorder = calls.Recorder()
        self.simulation = ec2.Simulation()
        self.outputs: dict[str, str] = {}
        self.gateway_ids: list[str] = []
        self._first_call: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start the clock, deploy the stack, set the scene."""
        with ExitStack() as stack:
            stack.enter_context(_no_aws_around())
            stack.enter_context(self.clock)
            stack.enter_context(embedded(self.clock, self.recorder, seed=self.scenario.seed))
            self._deploy(self._config, self.client("cloudformation").create_stack)
            try:
                self._set_scene()
            except (ClientError, EC2ClientError) as error:
                raise ScenarioError(f"EC2 does not let the scenario be: {error}") from error
            self.clock.advance(_SETTLING_SECONDS)
            self.recorder.calls.clear()
            self.recorder.faults = self.scenario.fault
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind."""
        self._stack.close()

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud."""
        return client_of(service, ec2.REGION, patient=True)

    @property
    def drain_state_machine_arn(self) -> str:
        """What executions of the Drain workflow are started of."""
        return self.outputs["DrainStateMachineArn"]

    def upgrade(self, *, config: Path) -> None:
        """Update the stack to another configuration, or to sources that have changed; what runs goes on."""
        self._deploy(config, self.client("cloudformation").update_stack)

    def start(self, request: object) -> str:
        """Start an execution of the Drain workflow and return its ARN; nothing moves until somebody waits."""
        first_call = len(self.recorder.calls)
        answer = self.client("stepfunctions").start_execution(
            stateMachineArn=self.drain_state_machine_arn, input=json.dumps(request)
        )
        self._first_call[answer["executionArn"]] = first_call
        return str(answer["executionArn"])

    def wait(self, execution_arn: str) -> Run:
        """Let simulated time pass until the execution has ended."""
        self.clock.run_until(lambda: self._describe(execution_arn)["status"] != "RUNNING")
        return self.report(execution_arn)

    def run(self, request: object) -> Run:
        """Start an execution and wait for its end."""
        return self.wait(self.start(request))

    def report(self, execution_arn: str) -> Run:
        """What there is to say of an execution that has ended.

        Its calls are those of all roles since `start` began it, so those of another one at the same time
        too; if something else began it, since the beginning.
        """
        ended = self._describe(execution_arn)
        made = [call for call in self.recorder.calls[self._first_call.get(execution_arn, 0) :] if call.role]
        return Run(
            execution_arn=execution_arn,
            status=ended["status"],
            error=ended.get("error"),
            result=_result(ended),
            states=tuple(self.states(execution_arn)),
            calls=dict(Counter(call.name for call in made)),
            seconds=(ended["stopDate"] - ended["startDate"]).total_seconds(),
            connections_cut=sum(self.connections_cut(gateway) for gateway in self.gateway_ids),
        )

    def states(self, execution_arn: str) -> list[tuple[float, str]]:
        """The states an execution has entered so far, each with the seconds since it began."""
        began = self._describe(execution_arn)["startDate"]
        events = self.client("stepfunctions").get_execution_history(executionArn=execution_arn)["events"]
        return [
            ((event["timestamp"] - began).total_seconds(), event["stateEnteredEventDetails"]["name"])
            for event in events
            if "stateEnteredEventDetails" in event
        ]

    def connections_cut(self, gateway_id: str) -> int:
        """How many connections through the gateway were cut so far."""
        return sum(self.simulation.cut(gateway_id).values())

    def _describe(self, execution_arn: str) -> Any:
        return self.client("stepfunctions").describe_execution(executionArn=execution_arn)

    def _deploy(self, config: Path, change_stack: Callable[..., Any]) -> None:
        template = synthesise(config)
        # What `cdk bootstrap` leaves in an account: the template asks for its version.
        for parameter in template["Parameters"].values():
            self.client("ssm").put_parameter(
                Name=parameter["Default"], Value="30", Type="String", Overwrite=True
            )
        self._open_calendars(template)
        change_stack(StackName=_STACK, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
        (stack,) = self.client("cloudformation").describe_stacks(StackName=_STACK)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def _open_calendars(self, template: Mapping[str, Any]) -> None:
        """Let the change calendars that the functions may ask be there, open at all times."""
        calendar = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT", "Content": _OPEN_CALENDAR}
        there = self.client("ssm").list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])
        names = {document["Name"] for document in there["DocumentIdentifiers"]}
        for name in sorted({*re.findall(r':document/([\w.-]+)"', json.dumps(template))} - names):
            self.client("ssm").create_document(Name=name, **calendar)

    def _set_scene(self) -> None:
        self.simulation.configure(lags=self.scenario.lags, seed=self.scenario.seed)
        if not self.scenario.gateway:
            return
        vpc = self.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        given = {"CidrBlock": "10.0.0.0/24", "AvailabilityZone": f"{ec2.REGION}a"}
        subnet = self.client("ec2").create_subnet(VpcId=vpc, **given)["Subnet"]["SubnetId"]
        self.gateway_ids = [self._add_gateway(subnet, gateway) for gateway in self.scenario.gateway]
        self.clock.advance(self.scenario.longest_lifetime_seconds)
        for gateway_id, gateway in zip(self.gateway_ids, self.scenario.gateway, strict=True):
            self._animate(gateway_id, gateway)

    def _add_gateway(self, subnet: str, gateway: Gateway) -> str:
        allocations = [
            self.simulation.add_address(
                allocation_id=address.allocation_id, public_ip=address.public_ip, tags=address.tags
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

    def _animate(self, gateway_id: str, gateway: Gateway) -> None:
        """Let happen what the scenario says of single addresses, and of the gateway's state."""
        associations = self.simulation.connections(gateway_id)
        # AWS may have brought an address that the scenario does not list.
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
def _no_aws_around() -> Iterator[None]:
    """Hide the AWS settings of whoever runs this: an endpoint or a profile would lead out of this cloud."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with patch.dict(os.environ, {**ours, **files}, clear=True), patch("boto3.DEFAULT_SESSION", None):
        yield


def _result(ended: Mapping[str, Any]) -> Any:
    """The result: the output of a success, the cause of a failure."""
    text = ended.get("output") or ended.get("cause")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
