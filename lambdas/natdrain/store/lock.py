"""The lock of each gateway: its item has an owner while an execution holds it.

The workflow takes the lock; the functions only check it, write under it and free it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase
from botocore.exceptions import ClientError

from natdrain.aws import errors
from natdrain.contract import GatewayRecord as R
from natdrain.model.drain import Drain
from natdrain.model.instants import timestamp
from natdrain.model.join import Join
from natdrain.store.drains import read_all, unreadable
from natdrain.store.table import Path, Table, Written

_HELD = ((R.OWNER,), (R.SINCE,), (R.REASON,))


@dataclass(frozen=True, slots=True)
class GatewayLock:
    """The lock of a gateway, as far as it is `owner`'s: nothing is written once it is not."""

    table: Table
    gateway_id: str
    owner: str

    def intend(self, drains: Iterable[Drain]) -> dict[str, Drain] | None:
        """Write what is about to be asked of EC2 into the lock's item, and return the drains in it.

        What is written there already is kept: it may be what EC2 accepted from an earlier attempt. None: the
        lock is not ours.

        Raises:
            RequestRefused: somebody has changed the item, so that its meaning is unknown.
        """
        written = self._intend(drains, keep=True)
        if not written.done:
            return None
        return read_all(self.table, self.gateway_id, R.DRAINS, written.item[R.DRAINS], Drain)

    def intend_joins(self, joins: Iterable[Join], before: Mapping[str, Join]) -> bool:
        """Write what is about to be asked of EC2 over what is there.

        `before` is what was read there, by allocation id. Return False if it is there no longer, since an
        earlier attempt has written meanwhile, or if the lock is not ours.

        Raises:
            RequestRefused: somebody has changed the item, so that its meaning is unknown.
        """
        joins = list(joins)
        unchanged = [_unchanged(join, before.get(join.allocation_id)) for join in joins]
        return self._intend(joins, keep=False, only_if=unchanged).done

    def _intend(
        self, addresses: Iterable[Drain | Join], *, keep: bool, only_if: Iterable[ConditionBase] = ()
    ) -> Written:
        try:
            return self._set(addresses, keep=keep, only_if=only_if)
        except ClientError as error:
            if errors.code_of(error) != errors.INVALID_PATH:
                raise
            raise unreadable(self.table, self.gateway_id, R.LOCK, errors.text_of(error)) from error

    def intended(self) -> dict[str, Join]:
        """Return the joins in the lock's item, by allocation id.

        Raises:
            RequestRefused: somebody has changed the item, so that its meaning is unknown.
        """
        key = (self.gateway_id, R.LOCK)
        item = self.table.get([key]).get(key, {})
        return read_all(self.table, self.gateway_id, R.JOINS, item.get(R.JOINS, {}), Join)

    def remember(self, addresses: Iterable[Drain | Join]) -> bool:
        """Write what is known of addresses, for the next owner; return False if the lock is not ours."""
        return self._set(addresses).done

    def free(self, finished: Iterable[Drain | Join] = ()) -> None:
        """Free the lock, and forget the finished addresses; the others stay, for the next owner."""
        gone = list(dict.fromkeys(path for address in finished for path in _paths(address)))
        try:
            self._remove([*_HELD, *gone])
        except ClientError as error:
            if errors.code_of(error) != errors.INVALID_PATH:
                raise
            # Somebody has deleted the map of drains or of joins: nothing is left to remove from that one.
            item = self._remove([(R.SINCE,), (R.REASON,)]).item
            self._remove([*_HELD, *(path for path in gone if isinstance(item.get(path[0]), Mapping))])

    def keep(self, unfinished: Iterable[Join]) -> None:
        """Write what is known of joins that have not ended, for the next owner to know them by their ids."""
        if not (unfinished := list(unfinished)):
            return
        try:
            self._set(unfinished)
        except ClientError as error:
            # Somebody has deleted the map of joins, and with it what we knew.
            if errors.code_of(error) != errors.INVALID_PATH:
                raise

    def _set(
        self, addresses: Iterable[Drain | Join], *, keep: bool = False, only_if: Iterable[ConditionBase] = ()
    ) -> Written:
        new: dict[Path, Any] = {_path(address): address.to_json() for address in addresses}
        condition = reduce(and_, only_if, self._ours)
        return self.table.set((self.gateway_id, R.LOCK), condition, new, keep=keep)

    def _remove(self, paths: Iterable[Path]) -> Written:
        return self.table.remove((self.gateway_id, R.LOCK), self._ours, paths)

    @property
    def _ours(self) -> ConditionBase:
        return Attr(R.OWNER).eq(self.owner)


def _paths(address: Drain | Join) -> list[Path]:
    """Return what to forget of a finished address; of one that has left, that it was once to join too."""
    left = isinstance(address, Drain) and address.progress.gone_by is not None
    joined = [(R.JOINS, address.allocation_id)] if left and address.allocation_id else []
    return [_path(address), *joined]


def _unchanged(join: Join, before: Join | None) -> ConditionBase:
    asked_at = Attr(f"{R.JOINS}.{join.allocation_id}.{R.ASKED_AT}")
    before_at = before and before.progress.asked_at
    return asked_at.eq(timestamp(before_at)) if before_at else asked_at.not_exists()


def _path(address: Drain | Join) -> Path:
    return (R.JOINS if isinstance(address, Join) else R.DRAINS, address.key)
