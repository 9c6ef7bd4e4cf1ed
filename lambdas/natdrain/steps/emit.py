"""The emission of metrics: lines of a function's log, in CloudWatch's embedded metric format."""

from collections.abc import Iterable

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from natdrain.report.metrics import Measure


def emit(measures: Iterable[Measure]) -> None:
    """Print a line for each, with exactly the sets of dimensions that its metric declares.

    Powertools itself reads the stack's namespace, from POWERTOOLS_METRICS_NAMESPACE (its documentation).
    """
    for measure in measures:
        # One for each, since a line's dimensions are those of all its metrics; and with no service, of which
        # Powertools would make a dimension.
        line = AmazonCloudWatchEMFProvider(service="")
        line.add_metric(name=measure.metric.name, unit=measure.metric.unit, value=measure.value)
        first, *others = measure.metric.dimension_sets
        for name in first:
            line.add_dimension(name=name, value=measure.dimensions[name])
        for names in others:
            line.add_dimensions(**{name: measure.dimensions[name] for name in names})
        line.flush_metrics()
