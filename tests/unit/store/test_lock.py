"""The lock of a gateway, as the functions write under it and free it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from natdrain.aws import errors
from natdrain.contract import GatewayRecord as R
from natdrain.model.drain import Drain
from natdrain.model.errors import RequestRefused
from natdrain.model.join import Join
from natdrain.store.lock import GatewayLock
from natdrain.store.table import Table
from support.builders import GATEWAY, START, allocation, association, drain, join

KEY = (GATEWAY, R.LOCK)
ME = "arn:aws:states:us-east-1:123456789012:execution:Drain:me"
A, B = drain("a", limit_seconds=350, requested_at=START), drain("b")
C, D = join("c", asked_by=ME, asked_at=START, requested_at=START), join("d", asked_by=ME, asked_at=START)


def lock(table: Table, **item: Any) -> GatewayLock:
    """Write the lock's item, by default ours and without drains and joins, and return the lock."""
    table.put({R.GATEWAY: GATEWAY, R.SORT: R.LOCK, **({R.OWNER: ME, R.DRAINS: {}, R.JOINS: {}} | item)})
    return GatewayLock(table, GATEWAY, ME)


def stored(table: Table) -> dict[str, Any]:
    item = table.get([KEY])[KEY]
    return {key: value for key, value in item.items() if key not in {R.GATEWAY, R.SORT}}


def test_intention_is_written_and_answered_with_all_drains_of_the_item(table: Table) -> None:
    ours = lock(table, Drains={association("a"): A.to_json()})
    assert ours.intend([B]) == {association("a"): A, association("b"): B}
    assert stored(table)[R.DRAINS].keys() == {association("a"), association("b")}


def test_intention_keeps_what_is_written_of_the_same_drain(table: Table) -> None:
    assert lock(table, Drains={association("a"): A.to_json()}).intend([drain("a")]) == {association("a"): A}


def test_intention_is_not_written_without_the_lock(table: Table) -> None:
    assert lock(table, Owner="alice").intend([A]) is None
    assert stored(table)[R.DRAINS] == {}


def test_intention_is_refused_when_somebody_has_deleted_the_map_of_drains(table: Table) -> None:
    ours = lock(table)
    table.remove(KEY, ours._ours, [(R.DRAINS,)])
    with pytest.raises(RequestRefused, match=errors.INVALID_PATH):
        ours.intend([A])


def test_what_is_remembered_replaces_what_was_intended(table: Table) -> None:
    ours = lock(table)
    ours.intend([drain("a")])
    assert ours.remember([A])
    assert stored(table)[R.DRAINS] == {association("a"): A.to_json()}


def test_nothing_is_remembered_without_the_lock(table: Table) -> None:
    assert not lock(table, Owner="alice").remember([A])


def test_freed_lock_has_no_owner_and_keeps_the_running_drains(table: Table) -> None:
    drains = {association("a"): A.to_json(), association("b"): B.to_json()}
    lock(table, Drains=drains, Since="now", Reason="contract ends").free([A])
    assert stored(table) == {R.DRAINS: {association("b"): B.to_json()}, R.JOINS: {}}


def test_lock_of_somebody_else_is_not_freed(table: Table) -> None:
    lock(table, Owner="alice").free([A])
    assert stored(table)[R.OWNER] == "alice"


def test_lock_is_freed_when_its_map_of_drains_is_missing(table: Table) -> None:
    ours = lock(table, Since="now")
    table.remove(KEY, ours._ours, [(R.DRAINS,)])
    ours.free([A])
    assert stored(table) == {R.JOINS: {}}


def test_intended_join_is_written_over_what_an_earlier_request_has_left(table: Table) -> None:
    ours = lock(table, Joins={allocation("c"): join("c", asked_by="arn:earlier", pending=True).to_json()})
    assert ours.intend_joins([C, D], ours.intended())
    assert ours.intended() == {allocation("c"): C, allocation("d"): D}


def test_intended_join_is_not_written_without_the_lock(table: Table) -> None:
    theirs = lock(table, Owner="alice")
    assert not theirs.intend_joins([C], {})
    assert theirs.intended() == {}


def test_intended_join_is_refused_when_somebody_has_deleted_the_map_of_joins(table: Table) -> None:
    ours = lock(table)
    table.remove(KEY, ours._ours, [(R.JOINS,)])
    with pytest.raises(RequestRefused, match=errors.INVALID_PATH):
        ours.intend_joins([C], {})


def test_intended_join_is_not_written_over_what_another_attempt_has_written_meanwhile(table: Table) -> None:
    ours = lock(table)
    read = ours.intended()
    first = C.noted(asked_at=START)
    assert ours.intend_joins([first], read)
    assert not ours.intend_joins([C.noted(asked_at=START + timedelta(seconds=2))], read)
    assert ours.intended() == {allocation("c"): first}
    assert ours.intend_joins([C.noted(asked_at=START + timedelta(seconds=9))], ours.intended())


def test_unfinished_join_is_kept_with_what_is_known_of_it(table: Table) -> None:
    ours = lock(table, Joins={allocation("c"): C.to_json()})
    overdue = replace(C.noted(requested_at=START), association_id=association("c"))
    ours.keep([overdue])
    ours.free()
    assert ours.intended() == {allocation("c"): overdue}


def test_unfinished_joins_need_no_map_to_be_kept_in(table: Table) -> None:
    ours = lock(table)
    table.remove(KEY, ours._ours, [(R.JOINS,)])
    ours.keep([C])
    assert R.JOINS not in stored(table)


@pytest.mark.parametrize("item", [{}, {"Owner": ME}], ids=["no item", "an item of an earlier version"])
def test_lock_without_a_map_of_joins_intends_none(table: Table, item: dict[str, Any]) -> None:
    if item:
        table.put({R.GATEWAY: GATEWAY, R.SORT: R.LOCK, **item})
    assert GatewayLock(table, GATEWAY, ME).intended() == {}


@pytest.mark.parametrize(
    "joins", ["text", {allocation("c"): "text"}, {allocation("c"): C.to_json() | {"AskedAt": 7}}], ids=str
)
def test_intended_joins_that_somebody_has_changed_are_a_refusal_that_names_the_item(
    table: Table, joins: object
) -> None:
    with pytest.raises(RequestRefused, match=rf"Record={{S={R.LOCK}}}"):
        lock(table, Joins=joins).intended()


def test_what_is_remembered_of_a_join_replaces_what_was_intended(table: Table) -> None:
    ours = lock(table)
    ours.intend_joins([D], {})
    accepted = D.noted(requested_at=START)
    assert ours.remember([accepted])
    assert ours.intended() == {allocation("d"): accepted}


def test_freed_lock_keeps_the_joins_that_are_not_finished(table: Table) -> None:
    joins = {allocation("c"): C.to_json(), allocation("d"): D.to_json()}
    lock(table, Joins=joins, Since="now").free([C])
    assert stored(table) == {R.DRAINS: {}, R.JOINS: {allocation("d"): D.to_json()}}


def test_freed_lock_keeps_every_drain_and_join_when_nothing_is_finished(table: Table) -> None:
    kept = {R.DRAINS: {association("a"): A.to_json()}, R.JOINS: {allocation("c"): C.to_json()}}
    lock(table, **kept).free()
    assert stored(table) == kept


def test_freed_lock_forgets_with_an_address_that_has_left_that_it_was_to_join(table: Table) -> None:
    joins = {allocation("a"): join("a", asked_by="arn:earlier", requested_at=START).to_json()}
    item = {"Drains": {association("a"): A.to_json()}, "Joins": joins}
    lock(table, **item).free([A.noted(gone_by=START)])
    assert stored(table) == {R.DRAINS: {}, R.JOINS: {}}
    # One that is still there may be what the join was for.
    lock(table, **item).free([A])
    assert stored(table) == {R.DRAINS: {}, R.JOINS: joins}


def test_freed_lock_forgets_one_allocation_that_two_drains_have_taken_off(table: Table) -> None:
    left = A.noted(gone_by=START)
    lock(table, Joins={allocation("a"): C.to_json()}).free(
        [left, replace(left, association_id=association("b"))]
    )
    assert stored(table) == {R.DRAINS: {}, R.JOINS: {}}


@pytest.mark.parametrize("missing", [R.DRAINS, R.JOINS])
@pytest.mark.parametrize("finished", [A, C], ids=["a drain", "a join"])
def test_lock_is_freed_and_the_finished_forgotten_when_one_of_its_maps_is_missing(
    table: Table, missing: str, finished: Drain | Join
) -> None:
    ours = lock(table, Drains={association("a"): A.to_json()}, Joins={allocation("c"): C.to_json()})
    table.remove(KEY, ours._ours, [(missing,)])
    ours.free([finished])
    assert R.OWNER not in stored(table)
    assert finished.key not in {key for map_ in stored(table).values() for key in map_}


@pytest.mark.parametrize(
    "call",
    [lambda ours: ours.intend([A]), lambda ours: ours.intend_joins([C], {}), lambda ours: ours.free([A])],
)
def test_other_errors_than_an_invalid_path_are_passed_on(table: Table, call: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        call(GatewayLock(Table(f"{table.name}-gone"), GATEWAY, ME))
