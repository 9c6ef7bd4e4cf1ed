"""The table of docs/guards.md, made from the guards' own definitions."""

from natdrain.guards.policy import RULES

__all__ = ["table"]


def table() -> str:
    """A row for each guard."""
    rows = [
        f"| `{rule.name}` | {rule.finds} | {rule.by_hand} | {rule.automatic} | "
        f"{rule.lifted_by or f'`{rule.override}`'} |"
        for rule in RULES
    ]
    head = ["| guard | what it finds | by hand | automatic | lifted by |", "| --- | --- | --- | --- | --- |"]
    return "\n".join(["", *head, *rows, ""])
