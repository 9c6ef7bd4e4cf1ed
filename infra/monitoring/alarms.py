"""The alarms, each with a description that says what to do.

natdrain's own metrics are those of `natdrain.report.metrics`; the others are AWS's.
"""

from collections.abc import Sequence

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config.file import Config
from natdrain.contract import SERVICE
from natdrain.model.outcome import ExecutionOutcome
from natdrain.model.request import TriggerKind
from natdrain.report.metrics import EXECUTIONS, OUTCOME, TRIGGER, Metric

PERIOD = Duration.minutes(5)
NAMESPACE = f"{SERVICE}/{Aws.STACK_NAME}"
"""The stack's own namespace of natdrain's metrics."""

_TRANSIENT = 4
"""Failures or throttles within a period that raise an alarm: the workflow retries a state up to seven times
in two minutes, and nobody needs to be woken if one of the first retries succeeds."""


def metric(of: Metric, statistic: str = "Sum", **dimensions: str) -> cloudwatch.Metric:
    """Return one of natdrain's metrics, by one of its sets of dimensions."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=of.name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=PERIOD,
    )


def _total(metrics: Sequence[cloudwatch.IMetric], label: str) -> cloudwatch.MathExpression:
    """Return the sum; no data counts as 0 (CloudWatch user guide, metric math: FILL)."""
    return cloudwatch.MathExpression(
        expression="SUM(FILL(METRICS(), 0))",
        using_metrics={f"m{number}": one for number, one in enumerate(metrics)},
        label=label,
        period=PERIOD,
    )


class Alarms(Construct):
    """One alarm for each condition that needs a person; a refused or busy request by hand does not."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        drain: sfn.IStateMachine,
        record: sfn.IStateMachine,
        functions: Sequence[lambda_.IFunction],
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topics = [
            sns.Topic.from_topic_arn(self, f"Topic{number}", arn)
            for number, arn in enumerate(config.operations.alarm_topics)
        ]
        self.all: list[cloudwatch.Alarm] = []
        self._alarm(
            "Failed",
            metric(EXECUTIONS, **{OUTCOME: ExecutionOutcome.FAILED.value}),
            "A drain failed: at least one address did not leave, or it is unknown whether it did.",
            "Read the execution's result, look at the gateway, and run the same request again: it "
            "continues from what it finds.",
            "failed",
        )
        self._alarm(
            "Overdue",
            metric(EXECUTIONS, **{OUTCOME: ExecutionOutcome.OVERDUE.value}),
            "An address is still on its gateway after its drain limit and a margin.",
            "Look at the gateway; if EC2 still drains the address, run the same request again to "
            "continue watching it, and otherwise contact AWS Support.",
            "overdue",
        )
        self._alarm(
            "ReleaseFailed",
            metric(EXECUTIONS, **{OUTCOME: ExecutionOutcome.RELEASE_FAILED.value}),
            "An address has left its gateway, but its allocation was not released and still costs money.",
            "Read the reason in the execution's result, fix it, and run the same request again.",
            "release-failed",
        )
        self._alarm(
            "JoinFailed",
            metric(EXECUTIONS, **{OUTCOME: ExecutionOutcome.JOIN_FAILED.value}),
            "An address did not come into service, or it is unknown whether it did; others may have.",
            "Read the execution's result, look at the gateway, and run the same request again: it "
            "continues from what it finds.",
            "join-failed",
        )
        not_started = (ExecutionOutcome.REFUSED, ExecutionOutcome.BUSY)
        self._alarm(
            "Missed",
            _total(
                [
                    metric(EXECUTIONS, **{OUTCOME: outcome.value, TRIGGER: kind.value})
                    for outcome in not_started
                    for kind in TriggerKind
                ],
                "missed",
            ),
            "A change that an alarm or a schedule started was refused, or waited in vain for its gateway.",
            "Nothing repeats it: read the reason in the execution's result, decide, and start it by hand.",
            "missed",
        )
        self._alarm(
            "TimedOut",
            drain.metric_timed_out(period=PERIOD),
            "An execution ran longer than a change can, so Step Functions ended it.",
            "Look at the gateway, then find the state in which the execution was stuck.",
            "stopped-or-timed-out",
        )
        self._alarm(
            "NotRecorded",
            _total([record.metric_failed(), record.metric_timed_out(), record.metric_aborted()], "ends"),
            "An execution ended without a record, and recording its end afterwards failed too.",
            "Read the cause of the failed execution, fix it, and start it again with the same input.",
            "not-recorded",
        )
        self._alarm(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum", period=PERIOD),
            "An execution, a record or an event could not be delivered, in spite of long retries.",
            "Read the messages in the dead-letter queue, fix the cause, do by hand what they were for "
            "if it is still needed, and delete them.",
            "dead-letters",
            # SQS developer guide, available CloudWatch metrics: only active queues report. It does not say
            # whether a queue that only keeps messages is active, and missing data fixes nothing.
            missing=cloudwatch.TreatMissingData.IGNORE,
        )
        throttles = [function.metric_throttles(period=PERIOD) for function in functions]
        throttles += [machine.metric_throttled(period=PERIOD) for machine in (drain, record)]
        self._alarm(
            "Throttled",
            _total(throttles, "throttled"),
            "Lambda or Step Functions throttles natdrain: drains continue, but later.",
            "Find out what else uses the account's quota, and raise it or reserve concurrency.",
            "throttled",
            at_least=_TRANSIENT,
        )
        self._alarm(
            "FunctionErrors",
            _total([function.metric_errors(period=PERIOD) for function in functions], "errors"),
            "Functions keep failing: AWS does not answer, a right is missing, or there is a bug.",
            "Read the errors in the functions' logs; the dashboard shows which function fails.",
            "functions-fail",
            at_least=_TRANSIENT,
        )

    def _alarm(
        self,
        construct_id: str,
        watched: cloudwatch.IMetric,
        what: str,
        do: str,
        page: str,
        *,
        at_least: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        """Add an alarm whose description says what has happened, what to do, and where to read more."""
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"natdrain: {what} {do} See docs/oncall/{page}.md.",
            metric=watched,
            threshold=at_least,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=missing,
        )
        for topic in self._topics:
            alarm.add_alarm_action(actions.SnsAction(topic))
        self.all.append(alarm)
