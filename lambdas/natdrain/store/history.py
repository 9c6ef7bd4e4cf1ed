"""The history in the table: its entries are only ever added."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from boto3.dynamodb.conditions import Attr

from natdrain.contract import GatewayRecord as R
from natdrain.history.entries import Entry, Seen, changes
from natdrain.model.drain import Drain
from natdrain.model.errors import TransientFailure
from natdrain.model.join import Join
from natdrain.model.look import Look
from natdrain.report import refusals
from natdrain.store.table import MAX_PUTS, Item, Table


@dataclass(frozen=True, slots=True)
class History:
    """The history of every gateway."""

    table: Table

    def note(
        self,
        gateway_id: str,
        seen: Seen,
        look: Look,
        drains: Mapping[str, Drain],
        joins: Mapping[str, Join],
        *,
        execution: str,
        first: bool,
    ) -> None:
        """Record what a look shows that the one before did not.

        The first look of an execution is always recorded: it bounds when something else has changed.

        Raises:
            TransientFailure: another look was recorded meanwhile; look again.
        """
        now, entries = changes(seen, look, drains, joins, execution=execution, most=MAX_PUTS - 1)
        if now is seen or not (entries or first) or not (seen.version or now.addresses):
            return
        [look_seen] = items(gateway_id, [{R.SORT: R.SEEN, **now.to_item()}])
        unchanged = Attr(R.VERSION).not_exists() | Attr(R.VERSION).eq(seen.version)
        if not self.table.put_all(look_seen, unchanged, items(gateway_id, entries)):
            meanwhile = refusals.LOOK_RECORDED_MEANWHILE.about(gateway_id, gateway=gateway_id)
            raise TransientFailure(meanwhile)


def items(gateway_id: str, entries: Iterable[Entry]) -> list[Item]:
    """Return entries as items of a gateway."""
    return [{R.GATEWAY: gateway_id, **entry} for entry in entries]
