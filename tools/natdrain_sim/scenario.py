"""Scenario files: the gateways, traffic, lags and faults with which a run begins.

A scenario is a TOML file. `docs/embedded-cloud.md` lists every key. The classes here have the defaults.
"""

import difflib
import tomllib
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import botocore.session
from pydantic import AwareDatetime, ConfigDict, Field, PositiveFloat, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from natdrain_sim.calls import Fault
from natdrain_sim.ec2 import Lags

DEFAULT = Path(__file__).parent / "scenarios" / "default.toml"


class ScenarioError(Exception):
    """A scenario that cannot be used; the message names every wrong key."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """One address; missing ids are generated."""

    allocation_id: str | None = None
    association_id: str | None = None
    public_ip: str | None = None
    private_ip: str | None = None
    zone: str | None = None
    """The Availability Zone that it serves, by name or id; with it the gateway is regional."""
    border_group: str | None = None
    """Its network border group, if not the Region's own; the gateway is then in a zone of that group."""
    tags: dict[str, str] = field(default_factory=dict)
    connections: tuple[float, ...] = ()
    """Lifetimes in seconds of single connections that are open at the start."""
    draining_with_limit: int | None = None
    """It already drains at the start, by another client's request, with this limit in seconds."""
    fails_with: str | None = None
    """Its drain ends as `failed` with this FailureMessage."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Connections at an even pace, with random lifetimes between two bounds in seconds."""

    per_second: PositiveFloat
    lifetime_seconds: tuple[float, float]

    def __post_init__(self) -> None:
        _require_ascending("lifetime_seconds", self.lifetime_seconds)


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """One NAT gateway; its first address is the primary one, and without addresses it is private."""

    gateway_id: str | None = None
    state: Literal["pending", "available", "deleting", "deleted", "failed"] = "available"
    automatic: bool = False
    """It is regional, and AWS manages its addresses: those listed, or else one of AWS's own."""
    tags: dict[str, str] = field(default_factory=dict)
    address: tuple[Address, ...] = ()
    traffic: Traffic | None = None

    def __post_init__(self) -> None:
        zoned = [address.zone is not None for address in self.address]
        if (self.automatic or any(zoned)) and not all(zoned):
            raise ValueError("each address of a regional gateway must have a zone")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything with which a run begins."""

    # pydantic applies it to the nested dataclasses too.
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    start_at: AwareDatetime = datetime(2026, 10, 2, 17, 0, tzinfo=UTC)
    seed: int = 0
    lags: Lags = field(default_factory=Lags)
    eips_per_nat_gateway: Annotated[int, Field(ge=1, le=8)] = 8
    """The applied quota, which has been raised from AWS's default of 2."""
    gateway: tuple[Gateway, ...] = ()
    fault: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        _require_ascending("lags.leave_after_limit", self.lags.leave_after_limit)
        session = botocore.session.get_session()
        services = session.get_available_services() if self.fault else []
        for fault in self.fault:
            service, _, operation = fault.operation.partition(":")
            known = session.get_service_model(service).operation_names if service in services else ()
            if operation not in known:
                unknown = f"fault.operation {fault.operation!r} does not exist"
                raise ValueError(f"{unknown}; an example is ec2:DescribeNatGateways")

    @property
    def longest_lifetime_seconds(self) -> float:
        """Return the seconds until the traffic has reached its average."""
        return max((g.traffic.lifetime_seconds[1] for g in self.gateway if g.traffic), default=0)

    @classmethod
    def load(cls, path: Path) -> "Scenario":
        """Read a scenario file; any problem with it is a ScenarioError."""
        try:
            return TypeAdapter(cls).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ScenarioError(f"{path}: {error}") from error
        except ValidationError as error:
            raise ScenarioError("\n".join(f"{path}: {_message(each)}" for each in error.errors())) from error


def _message(detail: ErrorDetails) -> str:
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    text = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "unexpected_keyword_argument":
        tables = (Scenario, Gateway, Address, Traffic, Lags, Fault)
        known = [known.name for table in tables for known in fields(table)]
        similar = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        text = f"unknown key{f'; did you mean {similar[0]}?' if similar else ''}"
    return f"{key}: {text}" if key else text


def _require_ascending(name: str, bounds: tuple[float, float]) -> None:
    if not 0 <= bounds[0] <= bounds[1]:
        raise ValueError(f"{name} must be [least, most], neither of them negative")
