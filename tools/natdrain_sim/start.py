"""The start of the command `natdrain-sim`: moto and boto3 take seconds to import, so progress is shown."""

import importlib

from natdrain_sim.progress import waiting


def main() -> int:
    """Load the command line and run it; return its exit code."""
    with waiting("Loading the embedded cloud"):
        cli = importlib.import_module("natdrain_sim.cli")
    return int(cli.main())
