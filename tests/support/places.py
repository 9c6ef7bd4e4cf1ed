"""Paths of folders in the project."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PROJECT", "SAMPLES", "TESTS"]

TESTS = Path(__file__).parents[1]
PROJECT = TESTS.parent
SAMPLES = TESTS / "samples"
