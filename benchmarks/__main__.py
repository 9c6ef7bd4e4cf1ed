"""`make bench`: three tables, each of things measured in the same run."""

from __future__ import annotations

from rich.console import Console

from benchmarks import cold_start, embedded, polling

WIDTH = 120
"""The width of the output where there is no terminal."""


def main() -> None:
    """Print the tables on standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    _, (run,) = embedded.at_once(1, polling.LIMITS[0])
    states = [name for _, name in run.states]
    polling.print_table(console, polling.Workflow.counted(states, run.calls["lambda:Invoke"]))
    cold_start.print_table(console)
    embedded.print_table(console)


main()
