from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.config.file import Config, ConfigError
from infra.config.sections import Section
from support.places import PROJECT

Load = Callable[[str], Config]


def schedule(**changed: str | None) -> str:
    """Return a schedule in TOML with these keys changed, or left out if None."""
    keys = {
        "name": '"once"',
        "expression": '"at(2027-01-15T02:00:00)"',
        "request": '{ PublicIps = ["203.0.113.7"] }',
        **changed,
    }
    return "\n".join(["[[schedule]]", *(f"{key} = {value}" for key, value in keys.items() if value)]) + "\n"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def read(text: str) -> Config:
        path = tmp_path / "my.toml"
        path.write_text(text, encoding="utf-8")
        return Config.load(path)

    return read


def test_config_has_a_default_for_everything(load: Load) -> None:
    assert load("") == Config()


def test_config_starts_nothing_by_default() -> None:
    assert (Config().alarms.enabled, Config().schedule) == (False, [])


def test_config_notifies_nobody_by_default() -> None:
    silent = Config()
    assert (silent.messages.emails, silent.messages.chat, silent.operations.alarm_topics) == ([], False, [])


@pytest.mark.parametrize(
    "arn", ["arn:aws:sns:eu-central-1:123456789012:on-call", "arn:aws-cn:sns:cn-north-1:123456789012:A_b-9"]
)
def test_config_accepts_topics_of_every_partition(load: Load, arn: str) -> None:
    assert load(f'operations.alarm_topics = ["{arn}"]').operations.alarm_topics == [arn]


@pytest.mark.parametrize("address", ["a@example.com", "first.last+tag@mail.example.co.uk"])
def test_config_accepts_usual_e_mail_addresses(load: Load, address: str) -> None:
    assert load(f'messages.emails = ["{address}"]').messages.emails == [address]


def test_config_of_alarms_has_the_default_limit_when_it_sets_none(load: Load) -> None:
    assert load("defaults.max_drain_duration_seconds = 99").alarm_limit_seconds == 99


def test_config_of_alarms_has_its_own_limit_when_it_sets_one(load: Load) -> None:
    text = "defaults.max_drain_duration_seconds = 99\nalarms.max_drain_duration_seconds = 77"
    assert load(text).alarm_limit_seconds == 77


def test_config_reads_a_schedule_with_its_instants(load: Load) -> None:
    text = schedule(expression='"rate(7 days)"', start_at="2027-01-01T02:00:00Z")
    assert load(text).schedule[0].start_at == datetime(2027, 1, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression", ["cron(0 3 1 * ? *)", "cron(15 10 ? * 6L 2026-2030)", "cron(0/10 8-17 ? * MON-FRI *)"]
)
def test_config_accepts_cron_expressions_as_aws_writes_them(load: Load, expression: str) -> None:
    assert load(schedule(expression=f'"{expression}"')).schedule[0].expression == expression


@pytest.mark.parametrize(
    "direction",
    [
        'Associate = [{ AllocationIds = ["eipalloc-0a1b2c3d"], AvailabilityZoneId = "use1-az1" }]',
        'Disassociate = { AllocationIds = ["eipalloc-0a1b2c3d"], MaxDrainDurationSeconds = 900 }',
    ],
    ids=["join", "leave"],
)
def test_config_accepts_a_schedule_in_either_direction(load: Load, direction: str) -> None:
    request = f'{{ NatGatewayId = "nat-0a1b2c3d", {direction} }}'
    assert load(schedule(request=request)).schedule[0].request.keys() == {
        "NatGatewayId",
        direction.partition(" ")[0],
    }


def keys_of(section: type[Section]) -> set[str]:
    return set(section.model_fields)


def test_example_sets_every_key() -> None:
    example = Config.load(PROJECT / "natdrain.example.toml")
    sections = [
        example,
        example.table,
        example.logs,
        example.defaults,
        example.guards,
        example.after_drain,
        example.messages,
        example.operations,
        example.alarms,
    ]
    assert {name for s in sections for name in keys_of(type(s)) - s.model_fields_set} == set()
    set_in_some = set().union(*(one.model_fields_set for one in example.schedule))
    assert set_in_some == keys_of(type(example.schedule[0]))
    assert example.alarms.enabled
    assert example.tracing


TOPIC = "arn:aws:sns:us-east-1:210987654321:on-call"
CALENDAR = "arn:aws:ssm:{}:123456789012:document/freeze"
WRONG = {
    "unknown key": (
        "alarms.enabeld = true",
        "alarms.enabeld = true: there is no such key; did you mean enabled?",
    ),
    "unknown key like no other": (
        "zzz = 1",
        "zzz = 1: there is no such key; known are stack_name, tracing, tags, table, logs, defaults, guards, ",
    ),
    "unknown key of a schedule": (
        schedule(expresion='"x"'),
        'schedule[0].expresion = "x": there is no such key; did you mean expression?',
    ),
    "context key of the CDK": (
        '"natdrain:tracing" = false',
        "natdrain:tracing = false: there is no such key; did you mean tracing?",
    ),
    "text for a boolean": (
        'tracing = "yes"',
        'tracing = "yes": input should be a valid boolean (true: AWS X-Ray on workflow and functions).',
    ),
    "number for a boolean": ("alarms.enabled = 1", "alarms.enabled = 1: input should be a valid boolean"),
    "text for a number": (
        'defaults.max_drain_duration_seconds = "350"',
        'defaults.max_drain_duration_seconds = "350": input should be a valid integer (the drain limit:',
    ),
    "limit too long": (
        "defaults.max_drain_duration_seconds = 4001",
        "defaults.max_drain_duration_seconds = 4001: input should be less than or equal to 4000",
    ),
    "limit too short": (
        "alarms.max_drain_duration_seconds = 0",
        "alarms.max_drain_duration_seconds = 0: input should be greater than or equal to 1",
    ),
    "retention that CloudWatch does not have": (
        "logs.retention_days = 91",
        "logs.retention_days = 91: CloudWatch has no such retention (days that log lines are kept: 1, 3, 5,",
    ),
    "recovery out of range": (
        "table.recovery_days = 36",
        "table.recovery_days = 36: input should be less than or equal to 35 (days, 1 to 35, for which the t",
    ),
    "wait in line too long": (
        "defaults.wait_in_line_seconds = 14401",
        "defaults.wait_in_line_seconds = 14401: input should be less than or equal to 14400 (seconds, 60",
    ),
    "no address to remain": (
        "guards.remaining_addresses = 0",
        "guards.remaining_addresses = 0: input should be greater than or equal to 1 (addresses, 1 to 31, ",
    ),
    "window of port errors": (
        "guards.port_errors_minutes = 181",
        "guards.port_errors_minutes = 181: input should be less than or equal to 180 (minutes, 1 to 180",
    ),
    "window of capacity": (
        "guards.capacity_minutes = 4",
        "guards.capacity_minutes = 4: input should be greater than or equal to 5 (minutes, 5 to 20160",
    ),
    "verdict on a guard that there is not": (
        'guards.by_hand = { capacty = "warn", zzz = "warn" }',
        "capacty is not a guard; did you mean capacity?; zzz is not a guard; known are room, remaining",
    ),
    "verdict on a guard that is fixed": (
        'guards.automatic = { protect = "allow" }',
        "protect always refuses; others are room, remaining, ports, capacity, pace, siblings, put_back",
    ),
    "verdict that is none": (
        'guards.automatic = { capacity = "deny" }',
        "capacity = 'deny': a verdict is allow, warn, refuse (the same for alarms and schedules).",
    ),
    "calendar that is none": (
        'guards.change_calendars = ["freeze", "a b"]',
        'guards.change_calendars[1] = "a b": is not the name or ARN of an SSM document',
    ),
    "owner tags too long": (
        f'guards.owner_tags = {{ a = "{"x" * 3000}" }}',
        "characters of a function's environment, which has room for 3000; use fewer or shorter owner_tags",
    ),
    "owner tag that says nothing": (
        'guards.owner_tags = { terraform = "" }',
        'guards.owner_tags.terraform = "": string should have at least 1 character',
    ),
    "schedule that releases where nothing may": (
        schedule(request='{ PublicIps = ["203.0.113.7"], AfterDrain = "release" }'),
        "once requests a release, which after_drain.release must allow",
    ),
    "schedule that overrides what no request can": (
        schedule(request='{ PublicIps = ["203.0.113.7"], Override = ["hold"] }'),
        'Override "hold" cannot be overridden: what can be overridden is room, remaining, ports, capacity',
    ),
    "calendars of two regions": (
        f"guards.change_calendars = ['{CALENDAR.format('eu-west-1')}', '{CALENDAR.format('us-east-1')}']",
        "ARNs here and in guards.change_calendars are of eu-west-1 and us-east-1",
    ),
    "topic and calendar of two regions": (
        f"guards.change_calendars = ['{CALENDAR.format('eu-west-1')}']\noperations.alarm_topics = {[TOPIC]}",
        "ARNs here and in guards.change_calendars are of eu-west-1 and us-east-1",
    ),
    "stack name": ('stack_name = "nat_drain"', 'stack_name = "nat_drain": string should match pattern'),
    "address that is none": (
        'messages.emails = ["a@example.com", "network team"]',
        'messages.emails[1] = "network team": is not an e-mail address (addresses that get',
    ),
    "address without a domain": (
        'messages.emails = ["root@localhost"]',
        'messages.emails[0] = "root@localhost": is not an e-mail address',
    ),
    "address twice": (
        'messages.emails = ["a@example.com", "A@example.com"]',
        "the address a@example.com is used more than once; case does not count (addresses that get an",
    ),
    "one address for a list": (
        'messages.emails = "a@example.com"',
        'messages.emails = "a@example.com": input should be a valid list',
    ),
    "topic by its name": (
        'operations.alarm_topics = ["on-call"]',
        'operations.alarm_topics[0] = "on-call": is not the ARN of an SNS standard topic, such as arn',
    ),
    "topic that keeps an order": (
        'operations.alarm_topics = ["arn:aws:sns:eu-central-1:123456789012:on-call.fifo"]',
        'on-call.fifo": is not the ARN of an SNS standard topic',
    ),
    "more topics than an alarm has": (
        f"operations.alarm_topics = {[f'arn:aws:sns:eu-central-1:123456789012:{n}' for n in range(6)]}",
        "list should have at most 5 items after validation, not 6 (ARNs of SNS topics of this region, 5 at",
    ),
    "key of the operations": (
        "operations.alarm_topic = []",
        "operations.alarm_topic = []: there is no such key; did you mean alarm_topics?",
    ),
    "value for a section": ("table = true", "table = true: input should be a valid dictionary"),
    "value for a list": (
        'alarms.name_prefixes = "Egress"',
        'alarms.name_prefixes = "Egress": input should be a valid list (only alarms whose names',
    ),
    "alarms without a prefix": (
        "alarms.enabled = true",
        "alarms.name_prefixes = []: enabled needs at least one, or anyone who can make an alarm could start",
    ),
    "alarms that act for ever": (
        "alarms.max_age_minutes = 1441",
        "alarms.max_age_minutes = 1441: input should be less than or equal to 1440",
    ),
    "empty prefix": (
        'alarms.name_prefixes = ["A", ""]',
        'alarms.name_prefixes[1] = "": string should have at least 1 character',
    ),
    "tag of AWS's own": ('tags = { "aws:x" = "1" }', "keys that begin with aws: are reserved by AWS"),
    "tag with a character that AWS does not take": (
        'tags = { "a?" = "1" }',
        'tags.a? = "a?": only letters, digits, spaces and _ . : / = + - @ are allowed.',
    ),
    "tag that is no text": ("tags = { a = 3 }", "tags.a = 3: input should be a valid string"),
    "schedule without a request": (
        schedule(request=None),
        "schedule[0].request is missing (the request, as by hand; name public IPs or allocations",
    ),
    "schedule without a name": (schedule(name=None), "schedule[0].name is missing (unique, of your choice"),
    "schedule name": (schedule(name='"a b"'), 'schedule[0].name = "a b": string should match pattern'),
    "schedule name twice": (
        schedule() + schedule(name='"ONCE"'),
        "the name once is used more than once; case does not count",
    ),
    "expression of another kind": (
        schedule(expression='"every day"'),
        'schedule[0].expression = "every day": must be at(...), cron(...) or rate(...) (`at(',
    ),
    "cron with five fields": (
        schedule(expression='"cron(0 3 1 * ?)"'),
        "is not a cron expression of AWS: Incorrect number of values in '0 3 1 * ?'. 6 required, 5 provided.",
    ),
    "cron with both days": (
        schedule(expression='"cron(0 3 * * * *)"'),
        "Invalid combination of day-of-month '*' and day-of-week '*'.",
    ),
    "cron with an hour that is none": (
        schedule(expression='"cron(0 25 * * ? *)"'),
        "Invalid hour value '25'.",
    ),
    "at with an offset": (
        schedule(expression='"at(2027-01-15T02:00:00Z)"'),
        "must be an instant such as at(2027-01-15T02:00:00), whose zone is `timezone`",
    ),
    "at on a day that is none": (
        schedule(expression='"at(2027-02-30T02:00:00)"'),
        "day is out of range for month",
    ),
    "rate of nothing": (
        schedule(expression='"rate(0 days)"'),
        "must be a whole number of minutes, hours or days, such as rate(7 days)",
    ),
    "rate without a start": (
        schedule(expression='"rate(7 days)"'),
        "schedule[0].start_at is missing: without it, a rate would start as soon as it is deployed",
    ),
    "end before the start": (
        schedule(expression='"rate(1 day)"', start_at="2027-01-02T00:00:00Z", end_at="2027-01-01T00:00:00Z"),
        'schedule[0].end_at = "2027-01-01 00:00:00+00:00": must be later than start_at',
    ),
    "instant without an offset": (
        schedule(start_at="2027-01-02T00:00:00"),
        'schedule[0].start_at = "2027-01-02 00:00:00": input should have timezone info',
    ),
    "time zone": (
        schedule(timezone='"Europe/Berln"'),
        'schedule[0].timezone = "Europe/Berln": there is no such time zone; did you mean Europe/Berlin?',
    ),
    "window too wide": (
        schedule(flexible_window_minutes="1441"),
        "schedule[0].flexible_window_minutes = 1441: input should be less than or equal to 1440",
    ),
    "too many retries": (
        schedule(retry_attempts="186"),
        "schedule[0].retry_attempts = 186: input should be less than or equal to 185",
    ),
    "retries for too short a time": (
        schedule(retry_for_seconds="59"),
        "schedule[0].retry_for_seconds = 59: input should be greater than or equal to 60",
    ),
    "request with an unknown field": (
        schedule(request='{ PublicIp = ["203.0.113.7"] }'),
        'Unknown field "PublicIp": did you mean PublicIps?',
    ),
    "request out of range": (
        schedule(request='{ PublicIps = ["203.0.113.7"], MaxDrainDurationSeconds = 5000 }'),
        "must be a whole number of seconds from 1 to 4000, not 5000",
    ),
    "request with a trigger": (
        schedule(
            request='{ PublicIps = ["203.0.113.7"], Trigger = { Kind = "alarm", Name = "a", At = "b" } }'
        ),
        "leave out Trigger; each schedule sets its own",
    ),
    "request of an earlier version": (
        schedule(request='{ NatGatewayId = "nat-0a1b2c3d4e5f60718", AllocationIds = ["eipalloc-0a1b2c3d"] }'),
        'To take off by allocation: "Disassociate": {"AllocationIds": [...]}.',
    ),
    "request in both directions": (
        schedule(
            request='{ NatGatewayId = "nat-0a1b2c3d", PublicIps = ["203.0.113.7"], '
            'Associate = [{ AllocationIds = ["eipalloc-0a1b2c3d"] }] }'
        ),
        "Associate and PublicIps are in one request",
    ),
    "instant beside at": (
        schedule(end_at="2027-01-01T00:00:00Z"),
        "EventBridge Scheduler ignores it beside at(...)",
    ),
    "cron that never comes": (schedule(expression='"cron(0 3 31 2 ? *)"'), "never occurs"),
    "cron that the library reads and AWS does not": (
        schedule(expression='"cron(0 3 LW * ? *)"'),
        "is not a cron expression of AWS",
    ),
    "time zone that is no place": (schedule(timezone='"localtime"'), "there is no such time zone"),
    "boolean for a number": (
        "logs.retention_days = true",
        "logs.retention_days = true: input should be a valid integer",
    ),
    "prefix with an asterisk": ('alarms.name_prefixes = ["Egress*"]', "leave out the asterisk"),
    "more prefixes than a pattern holds": (
        f"alarms.name_prefixes = {[letter * 200 for letter in 'abcdefgh']}",
        "these take 1712 characters in the rule's pattern, which has room for 1100",
    ),
    "tags that differ in case alone": (
        'tags = { team = "a", Team = "b" }',
        "the key team is used more than once; case does not count",
    ),
    "table that could not be removed": (
        "table.keep = false",
        "table.keep = false: the stack could not be deleted while deletion_protection is true",
    ),
    "no TOML": ("alarms = {", "is not valid TOML:"),
}


@pytest.mark.parametrize("what", WRONG)
def test_config_is_refused_with_key_value_and_what_is_allowed(load: Load, what: str) -> None:
    text, message = WRONG[what]
    with pytest.raises(ConfigError) as refused:
        load(text)
    [line] = str(refused.value).splitlines()
    assert "my.toml" in line
    assert message in line


def test_config_is_refused_with_all_its_errors_at_once(load: Load) -> None:
    with pytest.raises(ConfigError) as refused:
        load("tracing = 1\nlogs.retention_days = 2\nalarms.enabeld = true\n" + schedule(name=None))
    assert [line.split("my.toml: ")[1].split(" ")[0] for line in str(refused.value).splitlines()] == [
        "tracing",
        "logs.retention_days",
        "alarms.enabeld",
        "schedule[0].name",
    ]


def test_config_is_refused_when_its_file_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"none\.toml: No such file or directory\. Name a file that can be read\."
    ):
        Config.load(tmp_path / "none.toml")


def test_config_is_refused_when_its_file_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Is a directory\. Name a file that can be read\."):
        Config.load(tmp_path)


def test_config_is_read_when_its_file_has_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_text("tracing = false", encoding="utf-8-sig")
    assert not Config.load(path).tracing


def test_config_is_refused_when_its_file_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml is not valid TOML"):
        Config.load(path)
