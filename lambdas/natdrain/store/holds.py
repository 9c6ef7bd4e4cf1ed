"""The holds: items that only people write and delete."""

from dataclasses import dataclass

from natdrain.contract import GatewayRecord as R
from natdrain.model.look import Hold
from natdrain.model.request import MAX_REASON_CHARACTERS
from natdrain.report import findings
from natdrain.store.table import Table


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds in the table."""

    table: Table

    def on(self, gateway_id: str) -> tuple[Hold, ...]:
        """Return the holds on this gateway and on all of them; an item holds whatever it says."""
        found = self.table.get((held, R.HOLD) for held in (gateway_id, R.ALL))
        return tuple(
            Hold(held=held, why=_reason(item.get(R.HOLD_WHY)), table=self.table.name)
            for (held, _), item in sorted(found.items())
        )


def _reason(written: object) -> str:
    # Bounded, so that no person's text pushes the command that lifts the hold out of a message.
    text = " ".join(written.split()) if isinstance(written, str) else ""
    return text[:MAX_REASON_CHARACTERS] or findings.HELD_WITHOUT_REASON
