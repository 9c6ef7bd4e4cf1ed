"""The pace in the table: one item, so that two requests at once cannot both pass."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from boto3.dynamodb.conditions import Attr

from natdrain.contract import GatewayRecord as R
from natdrain.contract import item_key
from natdrain.model.errors import RequestRefused, TransientFailure
from natdrain.model.pace import Pace, Take
from natdrain.report import refusals
from natdrain.store.drains import BROKEN
from natdrain.store.table import Table

_KEY = (R.PACE, R.PACE)
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Paces:
    """The pace of all gateways."""

    table: Table

    def read(self) -> Pace:
        """Return the pace.

        Raises:
            RequestRefused: somebody has changed the item, so that its meaning is unknown.
        """
        item = self.table.get([_KEY]).get(_KEY)
        if item is None:
            return Pace()
        try:
            return Pace(version=int(item[R.VERSION]), takes=tuple(map(Take.from_json, item[R.TAKES])))
        except BROKEN as error:
            facts = {"why": error, "table": self.table.name, "key": item_key(*_KEY)}
            raise RequestRefused(refusals.UNREADABLE_PACE.about(None, **facts)) from error

    def count_takes(
        self, takes: Sequence[Take], version: int, execution: str, now: datetime
    ) -> set[str] | None:
        """Count takes before EC2 is asked, if nothing was counted since `version` was read.

        Return the associations that were not counted before; None if something was counted since. Of those
        that were, EC2 may have been asked already.
        """
        pace, ids = self.read(), {take.association_id for take in takes}
        known = {take.association_id: take for take in pace.takes if take.until > now}
        if all(one in known and known[one].execution == execution for one in ids):
            return set()  # by an earlier attempt
        others = [take for key, take in known.items() if key not in ids]
        counted = [*others, *(replace(take, execution=execution) for take in takes)]
        return ids - known.keys() if pace.version == version and self._write(pace, counted) else None

    def give_back(self, association_ids: Collection[str], execution: str) -> None:
        """Count takes of this execution no more: EC2 has refused them.

        Raises:
            TransientFailure: others keep counting at the same moment.
        """
        for _ in range(_ATTEMPTS if association_ids else 0):
            pace, ours = self.read(), {(one, execution) for one in association_ids}
            kept = [take for take in pace.takes if (take.association_id, take.execution) not in ours]
            if len(kept) == len(pace.takes) or self._write(pace, kept):
                return
        if association_ids:
            raise TransientFailure(refusals.COUNTED_MEANWHILE.about(None))

    def _write(self, read: Pace, takes: Sequence[Take]) -> bool:
        """Write the takes if nothing was counted since the pace was read; return False if something was."""
        item = {
            R.GATEWAY: R.PACE,
            R.SORT: R.PACE,
            R.VERSION: read.version + 1,
            R.TAKES: [take.to_json() for take in takes],
        }
        unchanged = Attr(R.VERSION).not_exists() | Attr(R.VERSION).eq(read.version)
        return self.table.put(item, unchanged).done
