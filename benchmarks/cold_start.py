"""Cold start of each function against a stock handler: a fresh process, until its first answer.

The functions make their clients when they first call AWS, the stock handler when it is imported: so what is
measured is the time until an event that leads to a call has been answered, with AWS on loopback. What comes
before the process, Lambda fetching the asset, and TLS are not in it.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import aws_stub, runtime_api
from infra.asset.bytecode import add_bytecode
from infra.asset.content import OPERATIONS, install
from infra.asset.models import keep_operations

__all__ = ["CHOSEN", "STOCK", "Row", "Variant", "print_table", "rows"]

_ROUNDS = 5
STOCK = "stock"
_STOCK_HANDLER = """
import boto3
from aws_lambda_powertools import Logger

logger = Logger(service="stock")
ec2 = boto3.client("ec2")


@logger.inject_lambda_context
def handler(event, context):
    gateways = ec2.describe_nat_gateways(NatGatewayIds=[event["NatGatewayId"]])["NatGateways"]
    logger.info("seen", extra={"gateways": gateways})
    return {"Addresses": len(gateways[0]["NatGatewayAddresses"])}
"""
# Lambda developer guide, "Runtime-included SDK versions (Python)": what the runtime brings along.
_OF_THE_RUNTIME = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")


@dataclass(frozen=True, slots=True)
class Variant:
    """What may be in the asset."""

    sdk: str
    bytecode: bool

    @property
    def name(self) -> str:
        """As a table shows it."""
        return f"{self.sdk}{', byte code' if self.bytecode else ''}"


_RUNTIME, _WHOLE, _CUT = "SDK of the runtime", "bundled SDK", "bundled SDK, cut"
_VARIANTS = [Variant(sdk, bytecode) for bytecode in (False, True) for sdk in (_RUNTIME, _WHOLE, _CUT)]
CHOSEN = Variant(_CUT, bytecode=True)
# What a zip of the usual tools holds has no byte code that is valid on Lambda: see infra/asset_bytecode.py.
_USUAL = (Variant(_RUNTIME, bytecode=False), Variant(_WHOLE, bytecode=False))


@dataclass(frozen=True, slots=True)
class Row:
    """Medians for one handler in one variant, in seconds since the process was started."""

    variant: Variant
    handler: str
    init: float
    answered: float


def rows() -> list[Row]:
    """Measure every variant with every handler, interleaved, so that a busy moment hits all alike."""
    measured: dict[tuple[Variant, str], list[runtime_api.Boot]] = {}
    events, environments = _events(), runtime_api.environments(table=aws_stub.TABLE)
    handlers = {name: f"natdrain.handlers.{name}.handler" for name in events} | {STOCK: "stock.handler"}
    with tempfile.TemporaryDirectory() as scratch, aws_stub.answering() as endpoint:
        folders = dict(_build(Path(scratch)))
        for _, variant, name in itertools.product(range(_ROUNDS), _VARIANTS, events):
            boot = runtime_api.boot(
                handler := handlers[name],
                events[name],
                folders=folders[variant],
                environment={**environments.get(handler, {}), "AWS_ENDPOINT_URL": endpoint},
            )
            if boot.failed:
                raise RuntimeError(f"{name} failed with {variant.name}: {boot.answer}\n{boot.printed}")
            measured.setdefault((variant, name), []).append(boot)
    return [
        Row(
            variant,
            name,
            init=statistics.median(boot.asked_after for boot in boots),
            answered=statistics.median(boot.answered_after for boot in boots),
        )
        for (variant, name), boots in measured.items()
    ]


def print_table(console: Console) -> None:
    """Print what every variant takes, and how the chosen one compares to a stock handler."""
    taken = {(row.variant, row.handler): row for row in rows()}
    ours = [name for name in _events() if name != STOCK]
    python = runtime_api.interpreter().version
    times = Table(
        title=f"Cold start until the first answer, ms (init), medians of {_ROUNDS}, Python {python}"
    )
    times.add_column("what is in the asset")
    for name in (STOCK, *ours):
        times.add_column(name, justify="right")
    for variant in _VARIANTS:
        row = [taken[variant, name] for name in (STOCK, *ours)]
        cells = [f"{each.answered * 1000:.0f} ({each.init * 1000:.0f})" for each in row]
        times.add_row(
            f"{variant.name}{' ← chosen' if variant == CHOSEN else ''}",
            *cells,
            style="bold" if variant == CHOSEN else None,
        )
    ratios = Table(title="Cold start of the chosen asset, as a ratio to the stock handler's")
    ratios.add_column("the stock handler with")
    for name in ours:
        ratios.add_column(name, justify="right")
    for variant in _VARIANTS:
        stock = taken[variant, STOCK].answered
        ratios.add_row(
            f"{variant.name}{' ← usual today' if variant in _USUAL else ''}",
            *(f"{taken[CHOSEN, name].answered / stock:.2f}" for name in ours),
        )
    console.print(times)
    console.print(ratios)


def _build(scratch: Path) -> Iterator[tuple[Variant, list[Path]]]:
    """Lay out what the process of each variant finds: the asset, and the runtime's SDK where it has none."""
    source = scratch / "source"
    install(source)
    (source / "stock.py").write_text(_STOCK_HANDLER)
    for number, variant in enumerate(_VARIANTS):
        asset, runtime = scratch / str(number) / "asset", scratch / str(number) / "runtime"
        shutil.copytree(source, asset)
        runtime.mkdir()
        if variant.sdk == _RUNTIME:
            for name in _OF_THE_RUNTIME:
                (asset / name).rename(runtime / name)
        if variant.sdk == _CUT:
            keep_operations(asset / "botocore" / "data", OPERATIONS)
        if variant.bytecode:
            add_bytecode(asset.parent, runtime_api.interpreter())
        yield variant, [asset, runtime]


def _events() -> dict[str, dict[str, Any]]:
    """For each handler an event that makes it call AWS through every client that it uses."""
    request = {"NatGatewayId": aws_stub.GATEWAY, "AssociationIds": [aws_stub.ADDRESS["AssociationId"]]}
    drain = {**aws_stub.ADDRESS, "SinceAt": "2026-10-02T17:00:00Z"}
    task = {"Execution": "execution", "Request": request, "RetryCount": 0}
    step = {"Drains": [drain], "AssociationIds": request["AssociationIds"], "AllocationIds": []}
    return {
        STOCK: request,
        "read_request": {
            "Execution": "execution",
            "RetryCount": 0,
            "Input": {"PublicIps": [aws_stub.ADDRESS["PublicIp"]]},
        },
        "validate": {**task, "Step": {}},
        "disassociate": {**task, "Step": step},
        "confirm": {**task, "Step": step},
        "release": {**task, "Step": {**step, "AllocationIds": [aws_stub.ADDRESS["AllocationId"]]}},
        "close": {**task, "Step": step},
    }
