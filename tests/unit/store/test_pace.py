"""The pace in the table: what is counted, by whom, and given back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr

from natdrain.model.errors import RequestRefused, TransientFailure
from natdrain.model.pace import Take
from natdrain.store.pace import Paces
from natdrain.store.table import Table, Written
from support.builders import START, association, taken

ME, OTHER = "arn:me", "arn:other"


def counted(table: Table, *names: str, version: int = 0, execution: str = ME) -> set[str] | None:
    return Paces(table).count_takes([taken(name) for name in names], version, execution, START)


def takes(table: Table) -> dict[str, str]:
    """Return the executions by association."""
    return {take.association_id: take.execution for take in Paces(table).read().takes}


def test_pace_is_none_before_anything_was_counted(table: Table) -> None:
    assert (Paces(table).read().version, takes(table)) == (0, {})


def test_pace_has_what_was_counted_with_its_execution(table: Table) -> None:
    take = taken("a", zone="use1-az1")
    Paces(table).count_takes([take], 0, ME, START)
    assert Paces(table).read().takes == (replace(take, execution=ME),)


def test_pace_lets_only_one_of_two_at_once_pass(table: Table) -> None:
    assert counted(table, "a") == {association("a")}
    assert counted(table, "b", execution=OTHER) is None
    assert takes(table) == {association("a"): ME}


def test_pace_lets_the_next_pass_that_has_read_it_since(table: Table) -> None:
    counted(table, "a")
    assert counted(table, "b", version=1, execution=OTHER) == {association("b")}
    assert takes(table) == {association("a"): ME, association("b"): OTHER}


def test_pace_counts_a_second_attempt_of_the_same_execution_once(table: Table) -> None:
    assert (counted(table, "a"), counted(table, "a")) == ({association("a")}, set())
    assert Paces(table).read().version == 1


def test_pace_counts_anew_what_the_same_execution_counted_before_the_window(table: Table) -> None:
    Paces(table).count_takes([taken("a", until=START)], 0, ME, START - timedelta(hours=1))
    assert counted(table, "a", version=1) == {association("a")}
    [take] = Paces(table).read().takes
    assert take.until > START


def test_pace_counts_no_longer_what_has_expired(table: Table) -> None:
    Paces(table).count_takes([taken("a", until=START - timedelta(seconds=1))], 0, ME, START)
    counted(table, "b", version=1)
    assert takes(table) == {association("b"): ME}


def test_pace_gives_back_what_ec2_refused(table: Table) -> None:
    counted(table, "a", "b")
    Paces(table).give_back({association("a")}, ME)
    assert takes(table) == {association("b"): ME}


def test_pace_gives_back_nothing_that_another_execution_counts_now(table: Table) -> None:
    counted(table, "a")
    assert counted(table, "a", version=1, execution=OTHER) == set(), "it may have been asked for already"
    Paces(table).give_back({association("a")}, ME)
    assert takes(table) == {association("a"): OTHER}


class Contended(Table):
    """A table whose item changes between each read and write."""

    def put(self, item: Any, condition: Any = None) -> Written:
        return super().put(item, condition & Attr("Record").eq("never"))


def test_pace_that_others_keep_changing_is_transient_trouble(table: Table) -> None:
    counted(table, "a")
    with pytest.raises(TransientFailure, match="keep counting"):
        Paces(Contended(table.name)).give_back({association("a")}, ME)


@pytest.mark.parametrize("wrong", [{}, {"Version": "x", "Takes": []}, {"Version": 1, "Takes": [{}]}])
def test_pace_that_somebody_has_changed_is_refused_with_its_key(table: Table, wrong: dict[str, Any]) -> None:
    table.put({"NatGatewayId": "pace", "Record": "pace", **wrong})
    with pytest.raises(RequestRefused, match=r"NatGatewayId=\{S=pace\},Record=\{S=pace\}"):
        Paces(table).read()


def test_take_survives_the_way_through_the_workflow() -> None:
    for take in (taken("a"), taken("a", zone="use1-az1", execution=ME)):
        assert Take.from_json(take.to_json()) == take
