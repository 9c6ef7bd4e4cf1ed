"""The types of configuration values, with checks that would otherwise fail at deployment."""

import re
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from aws_croniter import AwsCroniter
from aws_croniter.exceptions import AwsCroniterExpressionError
from pydantic import AfterValidator, Field, StringConstraints

from natdrain.guards.policy import RULES, Verdict
from natdrain.intake.request import parse_request
from natdrain.model.errors import RequestRefused
from natdrain.model.request import MAX_DRAIN_LIMIT_SECONDS, MIN_DRAIN_LIMIT_SECONDS
from natdrain.report.hints import did_you_mean

# CloudWatch Logs API reference, PutRetentionPolicy: retentionInDays.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365),
    *(400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
# EventBridge quotas: an event pattern has at most 2,048 characters; ours has less than 900 without prefixes.
PREFIX_CHARACTERS = 1_100
_AROUND_A_PREFIX = len('{"prefix":""},')


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError("CloudWatch has no such retention")
    return days


def _prefixes(prefixes: list[str]) -> list[str]:
    if any(prefix.endswith("*") for prefix in prefixes):
        raise ValueError("a prefix has no wildcards; leave out the asterisk")
    if (length := sum(len(prefix) + _AROUND_A_PREFIX for prefix in prefixes)) > PREFIX_CHARACTERS:
        raise ValueError(
            f"these take {length} characters in the rule's pattern, which has room for {PREFIX_CHARACTERS}"
        )
    return prefixes


def _tag(text: str) -> str:
    """AWS tagging best practices: tag naming limits."""
    if text.lower().startswith("aws:"):
        raise ValueError("keys that begin with aws: are reserved by AWS")
    if not all(character.isalnum() or character in " _.:/=+-@" for character in text):
        raise ValueError("only letters, digits, spaces and _ . : / = + - @ are allowed")
    return text


def _tags(tags: dict[str, str]) -> dict[str, str]:
    # IAM user guide, tags for IAM resources: the keys of a role's tags may not differ in case alone.
    check_unique("key", [*tags])
    return tags


def check_unique(what: str, names: Sequence[str]) -> None:
    """Raise ValueError if a name occurs twice, whatever its case."""
    lower = [name.lower() for name in names]
    if repeated := sorted({name for name in lower if lower.count(name) > 1}):
        raise ValueError(f"the {what} {', '.join(repeated)} is used more than once; case does not count")


def _calendar(name: str) -> str:
    # SSM API reference, CreateDocument: Name; and the ARN of a document.
    if not re.fullmatch(r"(arn:aws(-[a-z]+)*:ssm:[a-z0-9-]+:\d{12}:document/)?[A-Za-z0-9_.-]{3,128}", name):
        raise ValueError("is not the name or ARN of an SSM document")
    return name


def _email(address: str) -> str:
    # Only SNS finds out whether it exists: it sends a confirmation request.
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", address):
        raise ValueError("is not an e-mail address")
    return address


def _emails(addresses: list[str]) -> list[str]:
    check_unique("address", addresses)
    return addresses


def _topic(arn: str) -> str:
    # SNS API reference, CreateTopic: Name; without the suffix of FIFO topics.
    if not re.fullmatch(r"arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}", arn):
        raise ValueError("is not the ARN of an SNS standard topic, such as arn:aws:sns:REGION:ACCOUNT:NAME")
    return arn


def _verdicts(verdicts: dict[str, str]) -> dict[str, str]:
    if problems := [problem for entry in verdicts.items() if (problem := _verdict_problem(*entry))]:
        raise ValueError("; ".join(problems))
    return verdicts


def _verdict_problem(guard: str, verdict: str) -> str | None:
    configurable = [rule.name for rule in RULES if not rule.fixed]
    if any(rule.fixed and rule.name == guard for rule in RULES):
        return f"{guard} always refuses; others are {', '.join(configurable)}"
    if guard not in configurable:
        hint = did_you_mean(guard, configurable) or f"known are {', '.join(configurable)}"
        return f"{guard} is not a guard; {hint}"
    return None if verdict in [*Verdict] else f"{guard} = {verdict!r}: a verdict is {', '.join(Verdict)}"


def _time_zone(name: str) -> str:
    # These three stand for the settings of a machine, not for a place.
    known = zoneinfo.available_timezones() - {"Factory", "localtime", "posixrules"}
    if name in known:
        return name
    raise ValueError("; ".join(filter(None, ["there is no such time zone", did_you_mean(name, known)])))


def _expression(text: str) -> str:
    """EventBridge Scheduler user guide, schedule types."""
    kind, _, rest = text.partition("(")
    inner = rest.removesuffix(")")
    if not rest.endswith(")") or kind not in {"at", "cron", "rate"}:
        raise ValueError("must be at(...), cron(...) or rate(...)")
    if kind == "cron":
        _check_cron(inner)
    elif kind == "rate" and not re.fullmatch("[1-9][0-9]* (minute|hour|day)s?", inner):
        raise ValueError("must be a whole number of minutes, hours or days, such as rate(7 days)")
    elif kind == "at" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", inner):
        raise ValueError("must be an instant such as at(2027-01-15T02:00:00), whose zone is `timezone`")
    elif kind == "at":
        datetime.fromisoformat(inner)
    return text


def _check_cron(inner: str) -> None:
    try:
        first = AwsCroniter(inner).occurrence(datetime(1970, 1, 1, tzinfo=UTC)).next()
    except (AwsCroniterExpressionError, ValueError) as error:
        raise ValueError(f"is not a cron expression of AWS: {error}") from error
    if first is None:
        raise ValueError("never occurs")


def _request(document: dict[str, Any]) -> dict[str, Any]:
    if "Trigger" in document:
        raise ValueError("leave out Trigger; each schedule sets its own")
    try:
        parse_request(document)
    except RequestRefused as refused:
        raise ValueError(str(refused).replace("\n", " ")) from refused
    return document


DrainLimit = Annotated[int, Field(ge=MIN_DRAIN_LIMIT_SECONDS, le=MAX_DRAIN_LIMIT_SECONDS)]
_Prefix = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Prefixes = Annotated[list[_Prefix], AfterValidator(_prefixes)]
_TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_tag)]
_TagValue = Annotated[str, StringConstraints(max_length=256), AfterValidator(_tag)]
Tags = Annotated[dict[_TagKey, _TagValue], Field(max_length=40), AfterValidator(_tags)]
OwnerTags = dict[
    Annotated[str, StringConstraints(min_length=1, max_length=385)],
    Annotated[str, StringConstraints(min_length=1)],
]
Calendars = Annotated[list[Annotated[str, AfterValidator(_calendar)]], Field(max_length=10)]
Emails = Annotated[list[Annotated[str, AfterValidator(_email)]], AfterValidator(_emails)]
# CloudWatch API reference, PutMetricAlarm: AlarmActions, at most 5.
AlarmTopics = Annotated[list[Annotated[str, AfterValidator(_topic)]], Field(max_length=5)]
Verdicts = Annotated[dict[str, str], AfterValidator(_verdicts)]
RetentionDays = Annotated[int, AfterValidator(_retention)]
# CloudFormation API reference, CreateStack: StackName.
StackName = Annotated[str, StringConstraints(pattern="^[A-Za-z][A-Za-z0-9-]{0,127}$")]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Expression = Annotated[str, AfterValidator(_expression)]
RequestDocument = Annotated[dict[str, Any], AfterValidator(_request)]
