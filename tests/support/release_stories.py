"""Helpers of the stories of releases: requests for them, and what became of the allocations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from natdrain_sim.calls import Call, Fault
from natdrain_sim.cloud import Run
from support.stories import NatGateway, problems

RELEASE = "ec2:ReleaseAddress"
# A short limit, so that stories are short.
LIMIT_SECONDS = 60


def to_release(gateway: NatGateway, *numbers: int, **more: Any) -> dict[str, Any]:
    """Return the request to drain these addresses and release their allocations."""
    return gateway.named(*numbers, AfterDrain="release", MaxDrainDurationSeconds=LIMIT_SECONDS, **more)


def allocation(gateway: NatGateway, number: int = 1) -> str:
    return str(gateway.addresses[number]["AllocationId"])


def ours(gateway: NatGateway, *numbers: int) -> list[bool]:
    """Return for each address whether the account still has its allocation."""
    known = gateway.cloud.client("ec2").describe_addresses()["Addresses"]
    ids = {address["AllocationId"] for address in known}
    return [allocation(gateway, number) in ids for number in numbers]


def asked(gateway: NatGateway) -> list[Call]:
    """Return each call to release an allocation of this gateway, without dry runs."""
    ids = {address["AllocationId"] for address in gateway.addresses}
    return [
        call
        for call in gateway.cloud.recorder.calls
        if call.name == RELEASE
        and call.parameters["AllocationId"] in ids
        and not call.parameters.get("DryRun")
    ]


def gone_by(run: Run, number: int = 0) -> datetime:
    return datetime.fromisoformat(run.result["Addresses"][number]["GoneBy"])


def outcomes(run: Run) -> list[str]:
    return [address["Outcome"] for address in run.result["Addresses"]]


def released(run: Run) -> None:
    assert (run.status, run.result["Outcome"], run.result["Changed"]) == ("SUCCEEDED", "released", "all")


def kept(run: Run, *, changed: str = "some") -> str:
    """Return the reason for which a request kept the one allocation that it was to release."""
    assert (run.status, run.error, run.result["Outcome"]) == ("FAILED", "ReleaseFailed", "release_failed")
    assert run.result["Changed"] == changed
    (problem,) = problems(run.result)
    return str(problem).partition("its allocation is kept: ")[2]


def refusing(code: str, *, calls: frozenset[int] | None = None) -> Fault:
    """Let EC2 refuse to release an allocation: each time, or at these calls."""
    return Fault(operation=RELEASE, error=code, status=400, message="Not now.", calls=calls)
