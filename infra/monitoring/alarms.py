"""What people watch: alarms that page, each saying what to do.

The metrics of natdrain itself are those of `natdrain.metrics`; the others are AWS's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config.file import Config
from natdrain.contract import SERVICE
from natdrain.report.metrics import EXECUTIONS, OUTCOME, Metric

__all__ = ["PERIOD", "Alarms", "metric"]

PERIOD = Duration.minutes(5)

_TRANSIENT = 4
"""So many failures or throttles within a period page: the workflow tries a step again up to seven times in
two minutes, and what mends itself in the first tries need not wake anybody."""


def metric(of: Metric, statistic: str = "Sum", **dimensions: str) -> cloudwatch.Metric:
    """A metric of natdrain, by one of the sets of dimensions that it has."""
    return cloudwatch.Metric(
        namespace=SERVICE,
        metric_name=of.name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=PERIOD,
    )


def _total(metrics: Sequence[cloudwatch.IMetric], label: str) -> cloudwatch.MathExpression:
    """Their sum, where one that has no data counts as none (CloudWatch user guide, metric math: FILL)."""
    return cloudwatch.MathExpression(
        expression="SUM(FILL(METRICS(), 0))",
        using_metrics={f"m{number}": one for number, one in enumerate(metrics)},
        label=label,
        period=PERIOD,
    )


class _Page(NamedTuple):
    """What an alarm tells whom it wakes: what has happened, what to do, and where to read on."""

    means: str
    do: str
    section: str

    def __str__(self) -> str:
        return f"{self.means} {self.do} See docs/operations.md: {self.section}."


class Alarms(Construct):
    """One alarm for everything that a person must see to; a refused or busy request is not among it."""

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
        self._of_outcomes()
        self._of_the_workflow(drain, record)
        self._of_what_carries_it(functions, [drain, record], dead_letters)

    def _of_outcomes(self) -> None:
        self._alarm(
            "Failed",
            metric(EXECUTIONS, **{OUTCOME: "failed"}),
            _Page(
                "A drain failed: at least one address did not leave, or nobody can say.",
                "Read the execution's result, look at the gateway, and make the same request again: it "
                "takes up what it finds.",
                "A drain failed",
            ),
        )
        self._alarm(
            "Overdue",
            metric(EXECUTIONS, **{OUTCOME: "overdue"}),
            _Page(
                "An address is still on its gateway although its drain limit and a margin have passed.",
                "Look at the gateway; if EC2 still drains the address, make the same request again to go "
                "on watching, else ask AWS Support.",
                "An address is overdue",
            ),
        )
        self._alarm(
            "ReleaseFailed",
            metric(EXECUTIONS, **{OUTCOME: "release failed"}),
            _Page(
                "An address has left its gateway; its allocation could not be given back, and still costs.",
                "Read why in the execution's result, mend it, and make the same request again.",
                "An allocation could not be released",
            ),
        )

    def _of_the_workflow(self, drain: sfn.IStateMachine, record: sfn.IStateMachine) -> None:
        self._alarm(
            "TimedOut",
            drain.metric_timed_out(period=PERIOD),
            _Page(
                "An execution ran longer than any drain can, and Step Functions ended it.",
                "Look at the gateway, then find the state in which the execution hung.",
                "An execution timed out",
            ),
        )
        self._alarm(
            "NotRecorded",
            _total([record.metric_failed(), record.metric_timed_out(), record.metric_aborted()], "ends"),
            _Page(
                "An execution ended without a record, and recording it afterwards failed too.",
                "Read the failed execution's cause, mend it, and start it again with the same input.",
                "An end is not recorded",
            ),
        )

    def _of_what_carries_it(
        self,
        functions: Sequence[lambda_.IFunction],
        state_machines: Sequence[sfn.IStateMachine],
        dead_letters: sqs.IQueue,
    ) -> None:
        self._alarm(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum", period=PERIOD),
            _Page(
                "Something could not be started, recorded or told, although it was tried again for long.",
                "Read the messages of the dead-letter queue, mend the cause, do what they asked for if it is "
                "still wanted, and delete them.",
                "Dead letters",
            ),
            # SQS developer guide, available CloudWatch metrics: only active queues report. Whether one that
            # just keeps its letters counts as active is not said there, and its silence mends nothing.
            missing=cloudwatch.TreatMissingData.IGNORE,
        )
        throttles = [function.metric_throttles(period=PERIOD) for function in functions]
        throttles += [machine.metric_throttled(period=PERIOD) for machine in state_machines]
        self._alarm(
            "Throttled",
            _total(throttles, "throttled"),
            _Page(
                "Lambda or Step Functions holds natdrain back: drains go on, later.",
                "See what else uses up the account's quota, and raise it or reserve concurrency.",
                "Throttled",
            ),
            at_least=_TRANSIENT,
        )
        self._alarm(
            "FunctionErrors",
            _total([function.metric_errors(period=PERIOD) for function in functions], "errors"),
            _Page(
                "Functions keep failing: AWS does not answer, a right is missing, or they have a mistake.",
                "Read the errors in the functions' logs; the dashboard shows which function it is.",
                "Functions fail",
            ),
            at_least=_TRANSIENT,
        )

    def _alarm(
        self,
        construct_id: str,
        watched: cloudwatch.IMetric,
        page: _Page,
        *,
        at_least: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"natdrain: {page}",
            metric=watched,
            threshold=at_least,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=missing,
        )
        for topic in self._topics:
            alarm.add_alarm_action(actions.SnsAction(topic))
        self.all.append(alarm)
