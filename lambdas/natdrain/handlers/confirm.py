"""*Confirm*: look again, and decide what is next.

Input: `{Execution, Request, Step, RetryCount}`. Output: `{Step, Start, Failure}`: the next step;
`RequestRefused` if the table cannot be understood. Errors: `TransientFailure`.
"""

from natdrain.change.after.release import strategy_of
from natdrain.change.step import Step
from natdrain.model.request import Request
from natdrain.steps.look_and_decide import look_and_decide
from natdrain.steps.task import Event, deciding, task


@task
@deciding
def handler(event: Event, request: Request, before: Step) -> Step:
    """Look and decide; the guards' facts are read again for what EC2 may have to be asked next."""
    # Of a drain that somebody else began too: a stale read may show its address in service once more.
    names = [drain.association_id for drain in before.drains if drain.to_ask]
    names += strategy_of(request.after_drain).not_released(before.drains)
    open_joins = [join for join in before.joins if not (join.outcome or join.accepted) or join.to_remove]
    names += [join.allocation_id for join in open_joins]
    return look_and_decide(event, request, before, names)
