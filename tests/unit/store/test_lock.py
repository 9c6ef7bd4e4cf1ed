"""The lock of a gateway, as the functions write under it and free it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from natdrain.aws import errors
from natdrain.contract import GatewayRecord as R
from natdrain.model.errors import RequestRefused
from natdrain.store.lock import GatewayLock
from natdrain.store.table import Table
from support.builders import GATEWAY, START, association, drain

KEY = (GATEWAY, R.LOCK)
ME = "arn:aws:states:us-east-1:123456789012:execution:Drain:me"
A, B = drain("a", limit_seconds=350, requested_at=START), drain("b")


def lock(table: Table, **item: Any) -> GatewayLock:
    """Write the lock's item, by default ours and without drains, and return the lock."""
    table.put({R.GATEWAY: GATEWAY, R.SORT: R.LOCK, **({R.OWNER: ME, R.DRAINS: {}} | item)})
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
    assert stored(table) == {R.DRAINS: {association("b"): B.to_json()}}


def test_lock_of_somebody_else_is_not_freed(table: Table) -> None:
    lock(table, Owner="alice").free([A])
    assert stored(table)[R.OWNER] == "alice"


def test_lock_is_freed_when_its_map_of_drains_is_missing(table: Table) -> None:
    ours = lock(table, Since="now")
    table.remove(KEY, ours._ours, [(R.DRAINS,)])
    ours.free([A])
    assert stored(table) == {}


@pytest.mark.parametrize("call", [lambda ours: ours.intend([A]), lambda ours: ours.free([A])])
def test_other_errors_than_an_invalid_path_are_passed_on(table: Table, call: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        call(GatewayLock(Table(f"{table.name}-gone"), GATEWAY, ME))
