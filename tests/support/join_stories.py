"""Helpers of the stories of joins."""

from __future__ import annotations

from typing import Any

from natdrain_sim.cloud import EmbeddedCloud, Run
from support.stories import MANAGED, NatGateway

ASSOCIATE, DISASSOCIATE = "AssociateNatGatewayAddress", "DisassociateNatGatewayAddress"
ZONES = ("use1-az2", "use1-az4")


def spares(cloud: EmbeddedCloud, count: int = 1, **more: Any) -> list[str]:
    """Allocate Elastic IPs that are opted in and a while old."""
    return [cloud.simulation.add_address(**{"tags": MANAGED, **more}) for _ in range(count)]


def by_zone(gateway: NatGateway, **allocations: str) -> dict[str, Any]:
    """Return a request to associate an allocation in each of these zones, in turn."""
    calls = [
        {"AllocationIds": [allocation], "AvailabilityZoneId": zone.replace("_", "-")}
        for zone, allocation in allocations.items()
    ]
    return {"NatGatewayId": gateway.gateway_id, "Associate": calls}


def joined(run: Run) -> dict[str, Any]:
    """Return the result of an execution that has associated everything."""
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "joined", "all")
    return run.result


def outcomes(run: Run) -> list[str]:
    return [row["Outcome"] for row in run.result["Addresses"]]


def in_service(gateway: NatGateway, allocation_id: str) -> bool:
    """Return True if the allocation has exactly one entry on the gateway, in service."""
    return [a["Status"] for a in gateway.shown() if a["AllocationId"] == allocation_id] == ["succeeded"]


def listed(gateway: NatGateway, allocation_id: str) -> list[str]:
    """Return the status of each entry of the allocation on the gateway."""
    return [a["Status"] for a in gateway.shown() if a["AllocationId"] == allocation_id]
