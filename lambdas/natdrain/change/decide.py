"""The decision of an execution, by the kind of change that it makes."""

from natdrain.change.join import decide as join
from natdrain.change.known import Known
from natdrain.change.leave import decide as leave
from natdrain.change.step import Step
from natdrain.model.look import Look
from natdrain.model.request import Request


def decide(request: Request, look: Look, known: Known) -> Step:
    """Decide what to do next."""
    return (join.decide if request.joins else leave.decide)(request, look, known)
