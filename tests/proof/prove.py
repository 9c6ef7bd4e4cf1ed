"""`make prove`: every case of every path on two cores, the counts, and the tables of docs/reliability.md."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import natdrain
import natdrain_sim
from proof import games, reliability
from proof.cases import Case, Trace, all_cases
from proof.paths import PATHS
from proof.playing import BATCH, PathLostError, Verdict, play, record
from proof.saying import DISPROVEN, say
from support.places import PROJECT

CORES = 2
PROGRESS = 200


def proven(cases: Sequence[Case], traces: Mapping[str, Trace]) -> Iterator[Verdict]:
    """Yield the verdicts in the order of the cases."""
    batches = [cases[begin : begin + BATCH] for begin in range(0, len(cases), BATCH)]
    # Each process is new, since a cloud replaces the time of its process.
    with ProcessPoolExecutor(CORES, get_context("spawn"), initializer=_quiet) as pool:
        try:
            for verdicts in pool.map(play, batches, [traces] * len(batches)):
                yield from verdicts
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _quiet() -> None:
    # Warnings are expected: no service declares NeverHeardOf, and a failed Close emits no metrics.
    warnings.simplefilter("ignore", UserWarning)


def main() -> int:
    """Play, print and write; return `DISPROVEN` if an invariant does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", nargs="*", default=list(PATHS), choices=list(PATHS), metavar="PATH")
    parser.add_argument("--every", type=int, default=1, help="play only each n-th case")
    parser.add_argument("--only", default="", help="play only cases whose name contains this")
    parser.add_argument("--stop-at-first", action="store_true", help="end at the first that goes wrong")
    parser.add_argument("--write", type=Path, help="the document to write the tables into")
    given = parser.parse_args()
    began = time.monotonic()
    _quiet()
    for package in (natdrain, natdrain_sim):
        if PROJECT not in Path(str(package.__file__)).parents:
            sys.exit(f"{package.__file__} would be proven, and not the one of {PROJECT}")
    try:
        traces = record(given.paths)
    except PathLostError as error:
        say(f"WRONG {error}")
        return DISPROVEN
    cases = [case for case in all_cases(traces) if given.only in str(case)][:: given.every]
    say(f"{len(cases)} cases on {len(traces)} paths")
    verdicts: list[Verdict] = []
    for verdict in proven(cases, traces):
        verdicts.append(verdict)
        if len(verdicts) % PROGRESS == 0:
            say(f"{len(verdicts)} of {len(cases)} after {time.monotonic() - began:.0f} s")
        if verdict.wrong:
            say(f"WRONG {verdict.case}\n  ended as {verdict.outcome}", *verdict.wrong, sep="\n  ")
            if given.stop_at_first:
                return DISPROVEN
    wrong = sum(bool(verdict.wrong) for verdict in verdicts)
    if not given.only and given.paths == list(PATHS):
        wrong += not games.hold(games.fresh_seed(), examples=games.GAMES // given.every + 1)
    say(reliability.tables(traces, verdicts))
    say(f"{len(verdicts)} cases in {time.monotonic() - began:.0f} s, of which {wrong} are wrong")
    if given.write and not wrong:
        given.write.write_text(reliability.rewritten(given.write.read_text(), traces, verdicts))
    return DISPROVEN if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
