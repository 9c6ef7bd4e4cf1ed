"""Settings are read at each invocation, and name the variable that is missing or wrong."""

from __future__ import annotations

import json

import pytest

from natdrain.guards.policy import GuardPolicy
from natdrain.intake.alarms import AlarmPolicy
from natdrain.model.errors import NatdrainError
from natdrain.steps.settings import EndSettings, LookSettings, RequestSettings, Settings
from natdrain.store.table import Table

ALARMS = {
    "limit_seconds": 350,
    "name_prefixes": ["egress-"],
    "dry_run": True,
    "max_age_minutes": 60,
    "act_without_data": False,
}
POLICY = GuardPolicy(by_hand={"owner": "refuse"}, remaining_addresses=2, change_calendars=["freeze"])
RIGHT = {
    "NATDRAIN_TABLE": "Storage",
    "NATDRAIN_DRAIN_LIMIT_SECONDS": "120",
    "NATDRAIN_ALARM_POLICY": json.dumps(ALARMS),
    "NATDRAIN_RELEASE": "true",
    "NATDRAIN_GUARD_POLICY": POLICY.to_text(),
    "AWS_REGION": "eu-west-1",
}
READ_BY = {
    "NATDRAIN_TABLE": Settings,
    "NATDRAIN_DRAIN_LIMIT_SECONDS": RequestSettings,
    "NATDRAIN_ALARM_POLICY": RequestSettings,
    "NATDRAIN_RELEASE": RequestSettings,
    "NATDRAIN_GUARD_POLICY": LookSettings,
    "AWS_REGION": EndSettings,
}
WRONG = [
    ("NATDRAIN_DRAIN_LIMIT_SECONDS", "soon"),
    ("NATDRAIN_ALARM_POLICY", "{not JSON"),
    ("NATDRAIN_ALARM_POLICY", '{"limit_seconds": 350}'),
    ("NATDRAIN_RELEASE", "True"),
    ("NATDRAIN_GUARD_POLICY", "[1"),
    ("NATDRAIN_GUARD_POLICY", '{"never_heard_of": 1}'),
    ("NATDRAIN_GUARD_POLICY", '{"automatic": {"owner": "perhaps"}}'),
    ("NATDRAIN_GUARD_POLICY", '{"by_hand": "refuse"}'),
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)


def test_settings_are_what_the_environment_says() -> None:
    table = Table("Storage")
    assert Settings.from_env() == Settings(table=table)
    assert LookSettings.from_env() == LookSettings(table=table, policy=POLICY)
    assert EndSettings.from_env() == EndSettings(table=table, region="eu-west-1")
    assert RequestSettings.from_env() == RequestSettings(
        table=table, limit_seconds=120, alarms=AlarmPolicy(**ALARMS), may_release=True
    )


def test_release_is_switched_off_by_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NATDRAIN_RELEASE", "false")
    assert RequestSettings.from_env().may_release is False


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", RIGHT)
def test_settings_name_the_variable_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(NatdrainError, match=f"{name} is missing"):
        READ_BY[name].from_env()


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_settings_name_the_variable_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(NatdrainError, match=f"{name} is wrong"):
        READ_BY[name].from_env()
