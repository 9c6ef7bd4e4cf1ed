"""The pace of automatic requests: the addresses that they have lately taken off gateways."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from natdrain.model.instants import instant, timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """An address that an automatic request takes off a gateway; it counts `until` an instant.

    `in_service` is how many were in service before, with this one, on the gateway or in the zone of a
    regional one. `execution` is the one that asks EC2.
    """

    association_id: str
    gateway_id: str
    zone: str | None = None
    until: datetime
    in_service: int
    execution: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the take as a step and the table carry it."""
        return {
            "AssociationId": self.association_id,
            "NatGatewayId": self.gateway_id,
            "Until": timestamp(self.until),
            "InService": self.in_service,
            "Execution": self.execution,
            **({"Zone": self.zone} if self.zone else {}),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned.

        Raises:
            ArithmeticError, AttributeError, LookupError, TypeError, ValueError: the document is none.
        """
        return cls(
            association_id=document["AssociationId"],
            gateway_id=document["NatGatewayId"],
            zone=document.get("Zone"),
            until=instant(document["Until"]),
            in_service=int(document["InService"]),
            execution=document["Execution"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The takes that are counted; `version` changes with each of them."""

    version: int = 0
    takes: tuple[Take, ...] = ()
