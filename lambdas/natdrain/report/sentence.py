"""A sentence for people, with places for facts."""

from dataclasses import dataclass

from natdrain.model.problem import Problem


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and what to do about it; `{names}` in them are places for facts."""

    text: str
    fix: str | None = None

    def about(self, subject: str | None, **facts: object) -> Problem:
        """Return the problem of `subject`, an id, with the facts filled in."""
        return Problem(subject=subject, text=self.with_(**facts), fix=self.fix and self.fix.format(**facts))

    def with_(self, **facts: object) -> str:
        """Return the text with the facts filled in."""
        return self.text.format(**facts)
