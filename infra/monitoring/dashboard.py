"""The dashboard."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.monitoring.alarms import NAMESPACE, PERIOD, metric
from natdrain.report.metrics import (
    ADOPTED,
    DETECTION_LAG,
    DRAIN_DURATION,
    DRAIN_DURATION_OF_LIMIT,
    EXECUTIONS,
    FUNCTION,
    GUARD,
    JOIN_DURATION,
    OUTCOME,
    REFUSALS,
    RETRIES,
    TRIGGER,
    VALUES,
    Metric,
)

_WIDTH = 8
"""Three graphs in a row of CloudWatch's 24 columns."""


class Dashboard(Construct):
    """The state of all alarms, then outcomes and durations of changes, then the infrastructure."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarms: Sequence[cloudwatch.IAlarm],
        functions: Sequence[lambda_.IFunction],
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        letters = dead_letters.metric_approximate_number_of_messages_visible(
            statistic="Maximum", period=PERIOD
        )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24)],
                [
                    _graph("Executions by outcome", _each(EXECUTIONS, OUTCOME), stacked=True),
                    _graph("Executions by trigger", _by_trigger(), stacked=True),
                    _graph("Refusals by guard", _each(REFUSALS, GUARD), stacked=True),
                ],
                [
                    _graph(
                        "Longest drain, in percent of its limit",
                        _each(DRAIN_DURATION_OF_LIMIT, TRIGGER, "Maximum"),
                        line=cloudwatch.HorizontalAnnotation(value=100, label="EC2 cuts open connections"),
                    ),
                    _graph("Longest drain, in seconds", _each(DRAIN_DURATION, TRIGGER, "Maximum")),
                    _graph(
                        "Longest delay until noticed, in seconds", _each(DETECTION_LAG, TRIGGER, "Maximum")
                    ),
                ],
                [
                    _graph("Longest join, in seconds", _each(JOIN_DURATION, TRIGGER, "Maximum")),
                    _graph("Addresses adopted", _each(ADOPTED, TRIGGER), stacked=True),
                    _graph("Retries by function", _each(RETRIES, FUNCTION), stacked=True),
                ],
                [
                    _graph("Dead letters", [letters]),
                    _graph(
                        "Functions: errors and throttles",
                        [
                            *(one.metric_errors(period=PERIOD) for one in functions),
                            *(one.metric_throttles(period=PERIOD) for one in functions),
                        ],
                    ),
                    _graph(
                        "Functions: longest duration",
                        [one.metric_duration(period=PERIOD, statistic="Maximum") for one in functions],
                    ),
                ],
            ],
        )


def _each(of: Metric, dimension: str, statistic: str = "Sum") -> list[cloudwatch.IMetric]:
    """Return a metric once for each value of one dimension."""
    return [metric(of, statistic, **{dimension: value}).with_(label=value) for value in VALUES[dimension]]


def _by_trigger() -> list[cloudwatch.IMetric]:
    """Return executions by trigger, summed over all outcomes that CloudWatch finds."""
    # With more than letters and digits it is in double quotes (CloudWatch user guide, search expressions).
    where = f'{{"{NAMESPACE}",{OUTCOME},{TRIGGER}}} MetricName="{EXECUTIONS.name}"'
    return [
        cloudwatch.MathExpression(
            expression=f"SUM(SEARCH('{where} {TRIGGER}=\"{value}\"', 'Sum', {PERIOD.to_seconds()}))",
            using_metrics={},
            label=value,
            period=PERIOD,
        )
        for value in VALUES[TRIGGER]
    ]


def _graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    stacked: bool = False,
    line: cloudwatch.HorizontalAnnotation | None = None,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        left_annotations=[line] if line else [],
        stacked=stacked,
        width=_WIDTH,
    )
