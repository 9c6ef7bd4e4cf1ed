"""Console output and the exit status of the programs of the proof."""

from rich.console import Console

say = Console(markup=False, highlight=False, soft_wrap=True).print
DISPROVEN = 3
"""The exit status of a proof that found a fault; 1 is Python's own, when the program itself is wrong."""
