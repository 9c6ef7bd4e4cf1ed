"""The lock of each gateway: its item has an owner while an execution holds it.

The workflow takes the lock; the functions only check it, write under it and free it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase
from botocore.exceptions import ClientError

from natdrain.aws import errors
from natdrain.contract import GatewayRecord as R
from natdrain.model.drain import Drain
from natdrain.store.drains import read_drains, unreadable
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
        try:
            written = self._set(drains, keep=True)
        except ClientError as error:
            if errors.code_of(error) != errors.INVALID_PATH:
                raise
            raise unreadable(self.table, self.gateway_id, R.LOCK, errors.text_of(error)) from error
        if not written.done:
            return None
        return read_drains(self.table, self.gateway_id, R.LOCK, written.item[R.DRAINS])

    def remember(self, drains: Iterable[Drain]) -> bool:
        """Write what is known of drains, for the next owner; return False if the lock is no longer ours."""
        return self._set(drains).done

    def free(self, finished: Iterable[Drain] = ()) -> None:
        """Free the lock, and forget the finished drains; the running ones stay, for the next owner."""
        gone = [(R.DRAINS, drain.association_id) for drain in finished]
        try:
            self._remove([*_HELD, *gone])
        except ClientError as error:
            if errors.code_of(error) != errors.INVALID_PATH:
                raise
            # Somebody has deleted the map of drains: nothing is left to remove from it.
            self._remove(_HELD)

    def _set(self, drains: Iterable[Drain], *, keep: bool = False) -> Written:
        new: dict[Path, Any] = {(R.DRAINS, drain.association_id): drain.to_json() for drain in drains}
        return self.table.set((self.gateway_id, R.LOCK), self._ours, new, keep=keep)

    def _remove(self, paths: Iterable[Path]) -> Written:
        return self.table.remove((self.gateway_id, R.LOCK), self._ours, paths)

    @property
    def _ours(self) -> ConditionBase:
        return Attr(R.OWNER).eq(self.owner)
