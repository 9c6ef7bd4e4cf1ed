"""Scenario files: the gateways, traffic, lags and faults that a run begins with.

A scenario is a TOML file; `docs/embedded-cloud.md` lists every key. What it leaves out has the default
that stands here.
"""

import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cattrs

from natdrain_sim.calls import Fault
from natdrain_sim.ec2 import Lags

__all__ = ["Address", "Gateway", "Scenario", "ScenarioError", "Traffic"]

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


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """One NAT gateway; its first address is the primary one, and without addresses it is private."""

    gateway_id: str | None = None
    state: str = "available"
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
            raise ScenarioError(f"{path}: {'; '.join(cattrs.transform_error(error))}") from error


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)

    @converter.register_structure_hook
    def instant(value: Any, _type: type) -> datetime:
        if isinstance(value, datetime) and value.tzinfo:
            return value
        raise ValueError("an instant needs an offset, as in 2026-10-02T17:00:00Z")

    return converter
