"""*Read the request*: turn the execution input into one request in order.

Input: `{Execution, Input}`. Output: `{Request}` with the gateway named.
Errors: `RequestRefused` with every problem of the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from natdrain import ec2
from natdrain.errors import RequestRefused
from natdrain.functions.task import task
from natdrain.requests import Request

__all__ = ["handler"]


@task
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    """Read the request; where only public IPs are named, find their gateway."""
    request = Request.parse(event["Input"])
    if request.gateway_id is None:
        request = replace(request, gateway_id=_gateway_of(request.public_ips))
    return {"Request": request.to_json()}


def _gateway_of(public_ips: tuple[str, ...]) -> str:
    gateways = ec2.find_gateways(public_ips)
    found = {ip for ips in gateways.values() for ip in ips}
    problems = [
        f"PublicIps: no NAT gateway of this account and region has {ip}."
        for ip in public_ips
        if ip not in found
    ]
    if len(gateways) > 1:
        where = ", ".join(f"{ip} on {gateway}" for gateway, ips in gateways.items() for ip in ips)
        problems.append(f"PublicIps are on several gateways ({where}): ask for one gateway at a time.")
    if problems:
        raise RequestRefused(*problems)
    return next(iter(gateways))
