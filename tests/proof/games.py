"""`make play`: games of fresh seeds, or of one; a game that fails prints a script that replays it."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
import warnings

from proof import machine
from proof.saying import DISPROVEN, say

GAMES, STEPS = 40, 15
"""The number of games of a seed, and of the steps of each."""


def fresh_seed() -> int:
    """Return a seed that is short enough to type."""
    return secrets.randbelow(10**6)


def hold(seed: int, *, examples: int = GAMES) -> bool:
    """Play the games of a seed; print the seed and, if a game fails, the reason and how to replay it."""
    began = time.monotonic()
    try:
        machine.play(seed, examples=examples, steps=STEPS)
    except AssertionError as error:
        say(f"WRONG a game of seed {seed}: {error}", "Replay it with:", machine.script_of(error), sep="\n")
        return False
    say(f"{examples} games of seed {seed} hold ({time.monotonic() - began:.0f} s)")
    return True


def main() -> int:
    """Play one seed, or fresh ones until the time is up; return `DISPROVEN` if a game fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="play this seed, once")
    parser.add_argument("--minutes", type=float, default=1, help="begin fresh seeds for this long")
    given = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    until = time.monotonic() + given.minutes * 60
    holds = [hold(fresh_seed() if given.seed is None else given.seed)]
    while given.seed is None and time.monotonic() < until:
        holds.append(hold(fresh_seed()))
    return 0 if all(holds) else DISPROVEN


if __name__ == "__main__":
    sys.exit(main())
