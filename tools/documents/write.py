"""Writes into the documents what is made from the code itself: `make docs`."""

from documents import configuration_tables, guard_table, workflow_picture
from natdrain_sim.synthesis import PROJECT, synthesise

PLACES = {
    "README.md": "workflow",
    "docs/how-it-works.md": "workflow",
    "docs/configuration.md": "configuration",
    "docs/guards.md": "guards",
}
"""The documents, each with what is made in it."""


def made(part: str) -> str:
    """A part of a document, from the code as it is now."""
    if part == "workflow":
        return workflow_picture.draw(synthesise())
    return guard_table.table() if part == "guards" else configuration_tables.tables()


def rewritten(text: str, part: str) -> str:
    """A document with the part between its marks made anew."""
    begin, end = (f"<!-- made by make docs: {edge} {part} -->\n" for edge in ("begin", "end"))
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}{made(part)}{end}{tail}"


if __name__ == "__main__":
    for name, part in PLACES.items():
        document = PROJECT / name
        document.write_text(rewritten(document.read_text(), part))
