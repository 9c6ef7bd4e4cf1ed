"""Writes the generated parts of the documents: `make docs`."""

from collections.abc import Callable

from documents import tables, workflow_picture
from natdrain_sim.synthesis import PROJECT, synthesise

PLACES = {
    "docs/how-it-works.md": "workflow",
    "docs/configuration.md": "configuration",
    "docs/guards.md": "guards",
    "docs/metrics.md": "metrics",
    "docs/cost.md": "alarms",
}
"""The documents, each with its generated part."""
PARTS: dict[str, Callable[[], str]] = {
    "workflow": lambda: workflow_picture.draw(synthesise()),
    "configuration": tables.configuration,
    "guards": tables.guards,
    "metrics": tables.metrics,
    "alarms": lambda: tables.alarms(synthesise()),
}


def rewritten(text: str, part: str) -> str:
    """Return a document with the part between its marks made anew."""
    begin, end = (f"<!-- made by make docs: {edge} {part} -->\n" for edge in ("begin", "end"))
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{PARTS[part]()}{end}{tail}"


if __name__ == "__main__":
    for name, part in PLACES.items():
        document = PROJECT / name
        document.write_text(rewritten(document.read_text(), part))
