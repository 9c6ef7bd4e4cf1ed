"""Scenario files: the gateways, traffic, lags and faults that a run begins with.

A scenario is a TOML file; `docs/embedded-cloud.md` lists every key. What it leaves out has the default
that stands here.
"""

import difflib
import tomllib
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal

import botocore.session
from botocore.exceptions import UnknownServiceError
from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from natdrain_sim.calls import Fault
from natdrain_sim.ec2 import Lags

DEFAULT = Path(__file__).parent / "scenarios" / "default.toml"


class ScenarioError(Exception):
    """The scenario file cannot be read; the message names every key at fault."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """One address; ids that are left out are generated."""

    allocation_id: str | None = None
    association_id: str | None = None
    public_ip: str | None = None
    private_ip: str | None = None
    zone: str | None = None
    """The Availability Zone that it serves, by name or id; with it the gateway is a regional one."""
    tags: dict[str, str] = field(default_factory=dict)
    connections: tuple[float, ...] = ()
    """Lifetimes, in seconds, of single connections that are open at the start."""
    draining_with_limit: int | None = None
    """Somebody else has asked EC2 to drain it, at the start, with this limit in seconds."""
    fails_with: str | None = None
    """Its drain ends as `failed`, with this FailureMessage."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Connections at an even pace, with lifetimes drawn uniformly between two bounds, in seconds."""

    per_second: float
    lifetime_seconds: tuple[float, float]

    def __post_init__(self) -> None:
        """Refuse what makes no traffic."""
        if self.per_second <= 0:
            raise ValueError("per_second must be greater than 0")
        _require_ascending("lifetime_seconds", self.lifetime_seconds)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """One NAT gateway; its first address is the primary one, and without addresses it is private."""

    gateway_id: str | None = None
    state: Literal["pending", "available", "deleting", "deleted", "failed"] = "available"
    automatic: bool = False
    """It is a regional one, and AWS manages its addresses: those listed, or else one of AWS's own."""
    tags: dict[str, str] = field(default_factory=dict)
    address: tuple[Address, ...] = ()
    traffic: Traffic | None = None

    def __post_init__(self) -> None:
        """Refuse what is neither zonal nor regional."""
        zoned = [address.zone is not None for address in self.address]
        if (self.automatic or any(zoned)) and not all(zoned):
            raise ValueError("each address of a regional gateway must have a zone")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a run begins with."""

    # Of all classes here: pydantic hands it on to the plain ones.
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    start_at: AwareDatetime = datetime(2026, 10, 2, 17, 0, tzinfo=UTC)
    seed: int = 0
    lags: Lags = field(default_factory=Lags)
    gateway: tuple[Gateway, ...] = ()
    fault: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be, or would never happen."""
        _require_ascending("lags.leave_after_limit", self.lags.leave_after_limit)
        for name, value in asdict(self.lags).items():
            if not isinstance(value, tuple) and value < 0:
                raise ValueError(f"lags.{name} must not be negative")
        for fault in self.fault:
            service, _, operation = fault.operation.partition(":")
            if operation not in _operations(service):
                wrong = f"fault.operation {fault.operation!r}"
                raise ValueError(f"{wrong} is none, such as ec2:DescribeNatGateways")
            if fault.calls is not None and min(fault.calls, default=0) < 1:
                raise ValueError("fault.calls must be numbers from 1 on")
            if fault.for_seconds is not None and fault.for_seconds <= 0:
                raise ValueError("fault.for_seconds must be greater than 0")

    @property
    def longest_lifetime_seconds(self) -> float:
        """After so long the traffic is as it will be on average."""
        return max((g.traffic.lifetime_seconds[1] for g in self.gateway if g.traffic), default=0)

    @classmethod
    def load(cls, path: Path) -> "Scenario":
        """Read a scenario file.

        Raises:
            ScenarioError: the file is missing, no TOML, or has keys or values that are not known.
        """
        try:
            return TypeAdapter(cls).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ScenarioError(f"{path}: {error}") from error
        except ValidationError as error:
            raise ScenarioError("\n".join(f"{path}: {_told(one)}" for one in error.errors())) from error


def _told(mistake: ErrorDetails) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in mistake["loc"])
    why = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "unexpected_keyword_argument":
        kinds = (Scenario, Gateway, Address, Traffic, Lags, Fault)
        known = [key.name for kind in kinds for key in fields(kind)]
        near = difflib.get_close_matches(str(mistake["loc"][-1]), known, n=1)
        why = f"there is no such key{f'; did you mean {near[0]}?' if near else ''}"
    return f"{where.lstrip('.')}: {why}" if where else why


def _require_ascending(name: str, bounds: tuple[float, float]) -> None:
    if not 0 <= bounds[0] <= bounds[1]:
        raise ValueError(f"{name} must be [least, most], from 0 on")


def _operations(service: str) -> list[str]:
    try:
        return list(botocore.session.get_session().get_service_model(service).operation_names)
    except UnknownServiceError:
        return []
