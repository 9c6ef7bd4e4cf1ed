"""The stack that a team deploys."""

from aws_cdk import Annotations, Aws, CfnOutput, CfnRule, CfnRuleAssertion, Fn, Stack, Tags
from constructs import Construct

from infra.config.file import DEFAULT_STACK_NAME, Config
from infra.functions import Functions
from infra.monitoring.alarms import Alarms
from infra.monitoring.dashboard import Dashboard
from infra.monitoring.dead_letters import DeadLetters
from infra.notifications import Notifications
from infra.storage import Storage
from infra.triggers import Triggers
from infra.workflows.change import ChangeWorkflow
from infra.workflows.record import RecordWorkflow

_ALARMS_OF_TWO_STACKS = (
    "An alarm starts a drain in every stack whose alarms.name_prefixes match it: no two stacks of an account "
    "and region may share a prefix (docs/install.md)."
)


class NatdrainStack(Stack):
    """All resources of one deployment."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=config.stack_name,
            description="natdrain: changes Elastic IPs of NAT gateways",
        )
        for key, value in config.tags.items():
            Tags.of(self).add(key, value)
        self._check_region(config.region)
        if config.alarms.enabled and config.stack_name != DEFAULT_STACK_NAME:
            Annotations.of(self).add_warning_v2("natdrain:alarms-of-two-stacks", _ALARMS_OF_TWO_STACKS)
        storage = Storage(self, "Storage", config=config)
        functions = Functions(self, "Functions", config=config, table=storage.table)
        dead_letters = DeadLetters(self, "DeadLetters").queue
        drain = ChangeWorkflow(
            self, "Drain", config=config, functions=functions, table=storage.table, dead_letters=dead_letters
        )
        record = RecordWorkflow(
            self,
            "Record",
            config=config,
            functions=functions,
            table=storage.table,
            drain=drain.state_machine,
            dead_letters=dead_letters,
        )
        Triggers(
            self, "Triggers", config=config, state_machine=drain.state_machine, dead_letters=dead_letters
        )
        notifications = Notifications(
            self,
            "Messages",
            config=config,
            publishers=[drain.state_machine, record.state_machine],
            dead_letters=dead_letters,
        )
        watched = [version.lambda_ for version in [*functions.versions, functions.record]]
        alarms = Alarms(
            self,
            "Alarms",
            config=config,
            drain=drain.state_machine,
            record=record.state_machine,
            functions=watched,
            dead_letters=dead_letters,
        )
        Dashboard(self, "Dashboard", alarms=alarms.all, functions=watched, dead_letters=dead_letters)
        outputs = {
            "ChangeStateMachineArn": (
                "The workflow that changes addresses: start an execution of it.",
                drain.state_machine.state_machine_arn,
            ),
            "RecordStateMachineArn": (
                "The workflow that records ends of stopped, timed-out and failed executions.",
                record.state_machine.state_machine_arn,
            ),
            "TableName": ("Locks, holds, triggers, history.", storage.table.table_name),
            "DeadLetterQueueUrl": (
                "Executions, records and events that could not be delivered.",
                dead_letters.queue_url,
            ),
        }
        if notifications.chat_topic:
            outputs["ChatTopicArn"] = (
                "The topic to add to a channel of Amazon Q Developer in chat applications.",
                notifications.chat_topic.topic_arn,
            )
        for name, (description, value) in outputs.items():
            CfnOutput(self, name, description=description, value=value)

    def _check_region(self, region: str | None) -> None:
        """Let CloudFormation refuse regions other than that of the configured ARNs before it makes anything.

        CloudFormation user guide, rules: they are checked before any resource is created or updated, and may
        refer to parameters, and so to pseudo parameters.
        """
        if region:
            why = f"The configuration has topics or change calendars of {region}: deploy it there."
            here = CfnRuleAssertion(assert_=Fn.condition_equals(Aws.REGION, region), assert_description=why)
            CfnRule(self, "RegionOfTheConfiguration", assertions=[here])
