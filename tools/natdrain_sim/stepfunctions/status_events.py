"""Events about each change of an execution's status, which moto does not send to EventBridge.

Source: the Step Functions developer guide, "Automating Step Functions event delivery with EventBridge". The
`detail` is the response of DescribeExecution with times in milliseconds.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution

from natdrain_sim.clock import Clock
from natdrain_sim.events import service_events
from natdrain_sim.seams import Seam


def seams(clock: Clock) -> Iterator[Seam]:
    """Yield the seams where an execution starts and ends; they wrap replacements by `interpreter`."""

    def publish(execution: Execution) -> None:
        if vars(execution).get("published_status") == execution.exec_status:
            return  # the worker of a stopped execution ends too
        vars(execution)["published_status"] = execution.exec_status
        event = (
            "aws.states",
            "Step Functions Execution Status Change",
            execution.exec_arn,
            _detail(execution),
        )
        # Due now, but made when nothing is busy, and so when no lock is held.
        clock.call_at(clock.now, lambda: service_events.put(*event))

    def publishing(change: Callable[..., None]) -> Callable[..., None]:
        def change_and_publish(owner: Any, *args: Any, **kwargs: Any) -> None:
            change(owner, *args, **kwargs)
            publish(getattr(owner, "execution", owner))

        return change_and_publish

    worker = BaseExecutionWorkerCommunication
    yield Execution, "start", publishing(Execution.start)
    yield Execution, "stop", publishing(Execution.stop)
    yield worker, "terminated", publishing(worker.terminated)


def _detail(execution: Execution) -> dict[str, Any]:
    succeeded = execution.status == "SUCCEEDED"
    return {
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


def _milliseconds(instant: datetime | None) -> int | None:
    return None if instant is None else int(instant.timestamp() * 1000)
