"""Scenario files: the gateways, traffic, lags and faults that a run begins with.

A scenario is a TOML file; `docs/embedded-cloud.md` lists every key. What it leaves out has the default
that stands here.
"""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import botocore.session
import cattrs
from botocore.exceptions import UnknownServiceError
from cattrs.v import format_exception

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
    tags: dict[str, str] = field(default_factory=dict)
    address: tuple[Address, ...] = ()
    traffic: Traffic | None = None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a run begins with."""

    start_at: datetime = datetime(2026, 10, 2, 17, 0, tzinfo=UTC)
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
                raise ValueError(
                    f"fault.operation {fault.operation!r} is none, such as ec2:DescribeNatGateways"
                )
            if fault.calls is not None and min(fault.calls, default=0) < 1:
                raise ValueError("fault.calls must be numbers from 1 on")

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
            document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
            return _converter().structure(document, cls)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ScenarioError(f"{path}: {error}") from error
        except cattrs.BaseValidationError as error:
            told = "; ".join(cattrs.transform_error(error, format_exception=_told))
            raise ScenarioError(f"{path}: {told}") from error


def _converter() -> cattrs.Converter:
    # Not cattrs's default of making a text of whatever is given.
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, lambda value, _type: _instance(value, str, "a text"))
    converter.register_structure_hook(bool, lambda value, _type: _instance(value, bool, "true or false"))
    converter.register_structure_hook(datetime, lambda value, _type: _instant(value))
    return converter


def _instance(value: Any, wanted: type, words: str) -> Any:
    if not isinstance(value, wanted):
        raise ValueError(f"{value!r} is not {words}")  # noqa: TRY004 - cattrs collects these
    return value


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo:
        return value
    raise ValueError("an instant needs an offset, as in 2026-10-02T17:00:00Z")


def _told(error: BaseException, kind: type | None) -> str:
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        known = ", ".join(known.name for known in fields(error.cl))
        return f"unknown key {', '.join(sorted(error.extra_fields))} (known are {known})"
    if type(error) is ValueError:
        return str(error)
    return str(format_exception(error, kind))


def _require_ascending(name: str, bounds: tuple[float, float]) -> None:
    if not 0 <= bounds[0] <= bounds[1]:
        raise ValueError(f"{name} must be [least, most], from 0 on")


def _operations(service: str) -> list[str]:
    try:
        return list(botocore.session.get_session().get_service_model(service).operation_names)
    except UnknownServiceError:
        return []
