"""The tables of docs/reliability.md, made from what was proven."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from proof.cases import GOOD, MINUTE, ONCE, STOPPED, Trace
from proof.hands import HANDS
from proof.meddling import Site
from proof.playing import Verdict
from proof.troubles import (
    DENIED,
    DIES_AFTER,
    DIES_BEFORE,
    IN_PROGRESS,
    INTERNAL,
    LOST,
    NOT_FOUND,
    ODD,
    TIMEOUT,
    UNKNOWN,
)

BEGIN, END = "<!-- made by make prove: begin tables -->\n", "<!-- made by make prove: end tables -->\n"
CALLS = {"call", "function"}
TROUBLES = [
    *(ONCE, MINUTE, GOOD, INTERNAL, TIMEOUT, ODD, DENIED, NOT_FOUND, IN_PROGRESS, UNKNOWN, LOST),
    *(DIES_BEFORE, DIES_AFTER),
]


def rewritten(text: str, traces: Mapping[str, Trace], verdicts: Sequence[Verdict]) -> str:
    """Return the document with its tables made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{tables(traces, verdicts)}{END}{tail}"


def row_name(site: Site) -> str:
    """Return the name that the table has for a call."""
    return f"*{site.state}* `{site.operation}`"


def tables(traces: Mapping[str, Trace], verdicts: Sequence[Verdict]) -> str:
    """Return counts of outcomes: in all, by call and trouble, by stopped state, by hand and look, by path."""
    sites = dict.fromkeys(site for trace in traces.values() for site in trace.calls)
    states = dict.fromkeys(state for trace in traces.values() for state in trace.entries)
    every = f"{len(verdicts):,} cases"
    parts = [
        _table(
            "in all", rows=[every], columns=["outcomes"], cells=[(every, "outcomes", v) for v in verdicts]
        ),
        _table(
            "call",
            rows=[row_name(site) for site in sites],
            columns=TROUBLES,
            cells=[(row_name(v.case.site), v.case.trouble, v) for v in verdicts if v.case.sort in CALLS],
        ),
        _table(
            "state",
            rows=list(states),
            columns=[STOPPED],
            cells=[(v.case.site.state, STOPPED, v) for v in verdicts if v.case.sort == "stop"],
        ),
        _table(
            "somebody else, before a look of",
            rows=list(HANDS),
            columns=sorted({v.case.site.state for v in verdicts if v.case.sort == "hand"}),
            cells=[(v.case.trouble, v.case.site.state, v) for v in verdicts if v.case.sort == "hand"],
        ),
        _table(
            "path",
            rows=list(traces),
            columns=["outcomes"],
            cells=[(v.case.path, "outcomes", v) for v in verdicts],
        ),
    ]
    return "\n".join(["", *("\n".join([*part, ""]) for part in parts)])


def _table(
    name: str, *, rows: Sequence[str], columns: Sequence[str], cells: Iterable[tuple[str, str, Verdict]]
) -> list[str]:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row, column, verdict in cells:
        counts[row, column][verdict.outcome] += 1
    lines = [[row, *(_counted(counts[row, column]) for column in columns)] for row in rows]
    return [_line([name, *columns]), _line(["---"] * (len(columns) + 1)), *map(_line, lines)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _counted(outcomes: Counter[str]) -> str:
    return ", ".join(f"{outcome} {outcomes[outcome]}" for outcome in sorted(outcomes))
