"""Time from the start of a fresh process to its first answer: natdrain's functions, and a stock handler.

The stock handler makes its client when it is imported, the functions when they first call AWS: so each gets
an event that leads to a call, with AWS on loopback. Lambda's work before it starts the process, and TLS, are
not measured.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import aws_stub, runtime_api
from infra.asset.bytecode import add_bytecode
from infra.asset.content import install

__all__ = ["print_table"]

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
_USUAL, _ASSET = "as usually deployed", "with the asset's byte code"
# The usual tools make zips without byte code that is valid on Lambda: see infra/asset/bytecode.py.
_BASE = (STOCK, _USUAL)


def print_table(console: Console) -> None:
    """Print the medians, and their ratio to that of a stock handler as people usually deploy it."""
    measured = _measure()
    table = Table(
        title=f"Cold start until the first answer, medians of {_ROUNDS}, "
        f"Python {runtime_api.interpreter().version}"
    )
    table.add_column("handler")
    table.add_column("ms", justify="right")
    table.add_column("ratio", justify="right")
    for (name, deployed), seconds in measured.items():
        label = f"{name}, {deployed}" if name == STOCK else name
        table.add_row(label, f"{seconds * 1000:.0f}", f"{seconds / measured[_BASE]:.2f}")
    console.print(table)


def _measure() -> dict[tuple[str, str], float]:
    """Return the median seconds of each handler, measured in turns, so that a busy moment hits all alike."""
    boots: dict[tuple[str, str], list[float]] = {}
    events, environments = _events(), runtime_api.environments(table=aws_stub.TABLE)
    with tempfile.TemporaryDirectory() as scratch, aws_stub.answering() as endpoint:
        folders = _build(Path(scratch))
        for name, deployed in [_BASE, *((name, _ASSET) for name in events)] * _ROUNDS:
            handler = "stock.handler" if name == STOCK else f"natdrain.handlers.{name}.handler"
            environment = {**environments.get(handler, {}), "AWS_ENDPOINT_URL": endpoint}
            boot = runtime_api.boot(
                handler, events[name], folders=[folders[deployed]], environment=environment
            )
            if boot.failed:
                raise RuntimeError(f"{name} failed: {boot.answer}\n{boot.printed}")
            boots.setdefault((name, deployed), []).append(boot.seconds)
    return {key: statistics.median(seconds) for key, seconds in boots.items()}


def _build(scratch: Path) -> dict[str, Path]:
    """Lay out the asset's content once without byte code and once with it, each with the stock handler."""
    folders = {_USUAL: scratch / "usual", _ASSET: scratch / "asset"}
    install(folders[_USUAL])
    (folders[_USUAL] / "stock.py").write_text(_STOCK_HANDLER)
    shutil.copytree(folders[_USUAL], folders[_ASSET])
    add_bytecode(folders[_ASSET], runtime_api.interpreter())
    return folders


def _events() -> dict[str, dict[str, Any]]:
    """Return for each handler an event that makes it call AWS through every client that it uses."""
    request = {"NatGatewayId": aws_stub.GATEWAY, "AssociationIds": [aws_stub.ADDRESS["AssociationId"]]}
    drain = {**aws_stub.ADDRESS, "SinceAt": "2026-10-02T17:00:00Z"}
    task = {"Execution": "execution", "Request": request, "RetryCount": 0}
    step = {
        "Do": "disassociate",
        "Drains": [drain],
        "AssociationIds": request["AssociationIds"],
        "AllocationIds": [],
    }
    return {
        STOCK: request,
        "read_request": {
            "Execution": "execution",
            "RetryCount": 0,
            "Input": {"PublicIps": [aws_stub.ADDRESS["PublicIp"]]},
        },
        "validate": {**task, "Step": {"Do": "finish"}},
        "disassociate": {**task, "Step": step},
        "confirm": {**task, "Step": step},
        "release": {
            **task,
            "Step": {**step, "Do": "release", "AllocationIds": [aws_stub.ADDRESS["AllocationId"]]},
        },
        "close": {**task, "Step": step},
        "record": {"Execution": "execution", "RetryCount": 0, "Status": "ABORTED", "Cause": ""},
    }
