"""Step Functions tells EventBridge of each change of an execution's status; moto's does not.

Source: the Step Functions developer guide, "Automating Step Functions event delivery with EventBridge", whose
`detail` is what DescribeExecution answers, with instants in milliseconds.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from moto.events.models import events_backends
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution

from natdrain_sim.clock import Clock
from natdrain_sim.seams import Seam


def seams(clock: Clock) -> Iterator[Seam]:
    """What to replace in moto, once `stepfunctions` has: owner, name and replacement."""

    def tell(execution: Execution) -> None:
        if vars(execution).get("told") == execution.exec_status:
            return  # the worker of a stopped execution ends too
        vars(execution)["told"] = execution.exec_status
        event = _event(execution)

        def put() -> None:
            events_backends[execution.account_id][execution.region_name].put_events([event])

        # Due at once, but only when nothing is busy any more: nobody's lock is held then.
        clock.call_at(clock.now, put)

    def telling(change: Callable[..., None]) -> Callable[..., None]:
        def change_and_tell(owner: Any, *given: Any, **named: Any) -> None:
            change(owner, *given, **named)
            tell(getattr(owner, "execution", owner))

        return change_and_tell

    yield Execution, "start", telling(Execution.start)
    yield Execution, "stop", telling(Execution.stop)
    yield BaseExecutionWorkerCommunication, "terminated", telling(BaseExecutionWorkerCommunication.terminated)


def _event(execution: Execution) -> dict[str, Any]:
    succeeded = execution.status == "SUCCEEDED"
    detail = {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.start_date),
        "stopDate": _milliseconds(execution.stop_date),
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": execution.output if succeeded else None,
        "outputDetails": {"included": True} if succeeded else None,
        "error": execution.error,
        "cause": execution.cause,
    }
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [execution.exec_arn],
        "Detail": json.dumps(detail),
    }


def _milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)
