"""Notifications: natdrain's events as messages for people, by e-mail and in a chat."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config.file import Config
from infra.workflows.state_machine import leave_out_replays
from natdrain.contract import CHANGE_ENDED, CHANGE_STARTED, EVENT_SOURCE, FORMER_TYPES, SERVICE
from natdrain.model.outcome import ExecutionOutcome

_NOT_NOTIFIED = [ExecutionOutcome.NOTHING_TO_DO.value]
_TITLE = events.EventField.from_path("$.detail.Title")
_MESSAGE = events.EventField.from_path("$.detail.Message")


class Notifications(Construct):
    """A topic for each configured kind of reader, behind one rule on natdrain's own events.

    The topic's policy lets EventBridge publish, and can have no condition for that (EventBridge user guide,
    troubleshooting). AWS recommends a role instead ("Amazon EventBridge now supports IAM execution roles for
    all targets", March 2025), but warns that delivery to SNS may fail with one, particularly to encrypted
    topics (EventBridge user guide, resource-based policies), and no notification may get lost. The topics
    have no key either, since AWS's own key for SNS does not admit EventBridge. Messages hold names of
    addresses and gateways, and are encrypted in transit.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        publishers: Sequence[sfn.IStateMachine],
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._dead_letters = dead_letters
        self.chat_topic: sns.Topic | None = None
        readers: list[targets.SnsTopic] = []
        if config.messages.emails:
            readers.append(self._mail(config.messages.emails))
        if config.messages.chat:
            readers.append(self._chat())
        if readers:
            rule = events.Rule(
                self,
                "Told",
                description="natdrain: notifies people of changes",
                event_pattern=_notified_events(publishers),
                targets=list(readers),
            )
            leave_out_replays(rule)

    def _mail(self, addresses: list[str]) -> targets.SnsTopic:
        """Return the target that mails the message as one readable paragraph, in quotation marks.

        EventBridge delivers JSON, where a text has quotation marks, and SNS mails these as they are
        (EventBridge user guide, tutorial on input transformers: the message that it shows). Neither an input
        path nor a transformer removes them. But a transformer can put a space before the last one, so that a
        command at the end of the message can be copied without it.
        """
        topic = self._topic("Mail")
        for address in addresses:
            topic.add_subscription(
                subscriptions.EmailSubscription(address, dead_letter_queue=self._dead_letters)
            )
        return self._target(topic, events.RuleTargetInput.from_text(f"{_MESSAGE} "))

    def _chat(self) -> targets.SnsTopic:
        """Return the target for custom notifications of Amazon Q Developer in chat applications.

        Its administrator guide, custom notifications: `version` must be 1.0, `source` must be custom, and
        `client-markdown` is the only text type. A title may have 250 characters and a description 8,000
        (reported by others, who cite that page).
        """
        self.chat_topic = self._topic("Chat")
        notification = {
            "version": "1.0",
            "source": "custom",
            "content": {"textType": "client-markdown", "title": _TITLE, "description": _MESSAGE},
        }
        return self._target(self.chat_topic, events.RuleTargetInput.from_object(notification))

    def _topic(self, construct_id: str) -> sns.Topic:
        return sns.Topic(self, construct_id, display_name=SERVICE, enforce_ssl=True)

    def _target(self, topic: sns.Topic, message: events.RuleTargetInput) -> targets.SnsTopic:
        return targets.SnsTopic(topic, message=message, dead_letter_queue=self._dead_letters)


def _notified_events(publishers: Sequence[sfn.IStateMachine]) -> events.EventPattern:
    """Return the pattern of this stack's starts, which have no outcome, and notified ends.

    Step Functions names state machine and execution in `resources` of each event that it puts (recorded from
    AWS), which tells the events of this stack from those of another one.
    """
    return events.EventPattern(
        account=[Aws.ACCOUNT_ID],
        region=[Aws.REGION],
        source=[EVENT_SOURCE],
        detail_type=[CHANGE_STARTED, CHANGE_ENDED, *FORMER_TYPES],
        resources=[machine.state_machine_arn for machine in publishers],
        detail={"$or": [{"Outcome": [{"exists": False}]}, {"Outcome": [{"anything-but": _NOT_NOTIFIED}]}]},
    )
