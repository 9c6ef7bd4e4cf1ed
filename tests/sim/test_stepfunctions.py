import json
import time
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

from support.stub_functions import START, StubCloud, chain, invoke, stub_cloud, template

CONTEXT = "{% $states.context %}"
WAIT = {"Type": "Wait", "Seconds": 350}
AFTER_FAILURE = {"Name": "After the failure", "Type": "Pass"}


def seconds_of(execution: Any) -> float:
    return float((execution["stopDate"] - execution["startDate"]).total_seconds())


def output_of(cloud: StubCloud, event: Any = None) -> Any:
    execution = cloud.run(event)
    assert execution["status"] == "SUCCEEDED", execution
    return json.loads(execution["output"])


def passing(expression: str) -> dict[str, Any]:
    return {"Type": "Pass", "Output": "{% " + expression + " %}"}


def caught(task: dict[str, Any]) -> dict[str, Any]:
    """Return the task's error as a Catch receives it."""
    catch = {"ErrorEquals": ["States.ALL"], "Next": "Caught", "Output": "{% $states.errorOutput %}"}
    with stub_cloud({**task, "Catch": [catch]}, {"Name": "Caught", "Type": "Succeed"}) as cloud:
        return dict(output_of(cloud))


def sdk(resource: str, arguments: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments}


def test_wait_takes_exactly_its_seconds_and_no_real_time() -> None:
    with stub_cloud(WAIT) as cloud:
        began = time.monotonic()
        assert seconds_of(cloud.run()) == 350.0
        assert time.monotonic() - began < 3


def test_wait_until_a_timestamp_ends_exactly_then_when_it_began_between_seconds() -> None:
    with stub_cloud({"Type": "Wait", "Timestamp": "{% $states.input.until %}"}) as cloud:
        cloud.clock.advance(0.7)
        assert seconds_of(cloud.run({"until": "2026-03-01T12:00:10.250Z"})) == pytest.approx(9.55, abs=1e-6)


def test_wait_until_a_past_timestamp_takes_no_time() -> None:
    with stub_cloud({"Type": "Wait", "Timestamp": "2026-03-01T11:00:00Z"}) as cloud:
        assert seconds_of(cloud.run()) == 0


def test_wait_until_an_invalid_timestamp_fails_as_a_runtime_error() -> None:
    with stub_cloud({"Type": "Wait", "Timestamp": "{% 'noon' %}"}) as cloud:
        assert cloud.run()["error"] == "States.Runtime"


def test_retry_waits_for_its_backoff_in_simulated_time() -> None:
    retry = [{"ErrorEquals": ["NotReadyError"], "IntervalSeconds": 10, "BackoffRate": 2, "MaxAttempts": 3}]
    with stub_cloud(invoke("${Fail}", Retry=retry)) as cloud:
        execution = cloud.run()
        assert (execution["status"], execution["error"]) == ("FAILED", "NotReadyError")
        assert seconds_of(execution) == 10 + 20 + 40


def time_of_jittered_retries() -> float:
    jitter = {"IntervalSeconds": 60, "MaxAttempts": 4, "JitterStrategy": "FULL"}
    with stub_cloud(invoke("${Fail}", Retry=[{"ErrorEquals": ["States.ALL"], **jitter}])) as cloud:
        return seconds_of(cloud.run())


def test_retry_with_jitter_takes_the_same_time_in_every_run() -> None:
    assert time_of_jittered_retries() == time_of_jittered_retries()


def test_task_runs_with_a_time_out() -> None:
    with stub_cloud(invoke("${Look}", TimeoutSeconds=10)) as cloud:
        assert output_of(cloud, {"a": 1})["Payload"]["event"] == {"a": 1}


def test_catch_matches_the_class_name_of_a_function_error() -> None:
    catch = [{"ErrorEquals": ["NotReadyError"], "Next": AFTER_FAILURE["Name"]}]
    with stub_cloud(invoke("${Fail}", Catch=catch), AFTER_FAILURE) as cloud:
        cause = json.loads(output_of(cloud)["Cause"])
        assert cause["errorMessage"] == 'a "quote"\nand a new line\\'


def test_failed_condition_is_caught_as_dynamodb_conditional_check_failed() -> None:
    update = {
        "TableName": "${Table}",
        "Key": {"PK": {"S": "1"}},
        "UpdateExpression": "SET a = :a",
        "ConditionExpression": "attribute_exists(PK)",
        "ExpressionAttributeValues": {":a": {"S": "x"}},
    }
    error = caught(sdk("dynamodb:updateItem", update))
    assert error["Error"] == "DynamoDB.ConditionalCheckFailedException"


@pytest.mark.parametrize("machine", ["stub-Machine", "nowhere"])
def test_unknown_execution_is_caught_as_sfn_execution_does_not_exist(machine: str) -> None:
    arn = f"arn:aws:states:eu-central-1:123456789012:execution:{machine}:gone"
    error = caught(sdk("aws-sdk:sfn:describeExecution", {"ExecutionArn": arn}))
    assert error["Error"] == "Sfn.ExecutionDoesNotExistException"


def test_describe_execution_has_neither_input_nor_output_when_only_metadata_are_asked_for() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        arn = cloud.run({"large": "x"})["executionArn"]
        described = cloud.client("stepfunctions").describe_execution(
            executionArn=arn, includedData="METADATA_ONLY"
        )
        assert described["status"] == "SUCCEEDED"
        assert not {"input", "output"} & described.keys()
        assert [described[f"{name}Details"]["included"] for name in ("input", "output")] == [False, False]


def test_describe_execution_raises_execution_does_not_exist_for_an_unknown_one() -> None:
    with stub_cloud(WAIT) as cloud, pytest.raises(ClientError) as caught_error:
        cloud.describe("arn:aws:states:eu-central-1:123456789012:execution:stub-Machine:gone")
    assert caught_error.value.response["Error"]["Code"] == "ExecutionDoesNotExist"


def test_describe_execution_integration_returns_its_own_execution_as_running() -> None:
    own = {"ExecutionArn": "{% $states.context.Execution.Id %}"}
    task = sdk("aws-sdk:sfn:describeExecution", own)
    with stub_cloud({**task, "Output": "{% $states.result.Status %}"}) as cloud:
        assert output_of(cloud) == "RUNNING"


@pytest.mark.parametrize(
    "text",
    ['a "quote"', "line\nline", "back\\slash", "\\n", "tab\t", "'", "😀 é", '{"a": "b\\n"}', "$x", "/", ""],
)
def test_assigned_string_keeps_its_characters(text: str) -> None:
    assign = {"Type": "Pass", "Assign": {"kept": "{% $states.input.text %}", "all": "{% $states.input %}"}}
    with stub_cloud(assign, passing("[$kept, $all.text, $states.input.text]")) as cloud:
        assert output_of(cloud, {"text": text}) == [text] * 3


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("[$exists($x.none), $x.none = null, $exists($x.missing)]", [True, True, False]),
        ("$x", {"none": None, "one": [1], "whole": 2.0}),
        ("[$x.one, $count($x.one)]", [1, 1]),
        ("$x.whole * 2 & ''", "4"),
    ],
)
def test_variable_keeps_its_json_value(expression: str, wanted: Any) -> None:
    assign = {"Type": "Pass", "Assign": {"x": "{% $states.input %}"}}
    with stub_cloud(assign, passing(expression)) as cloud:
        assert output_of(cloud, {"none": None, "one": [1], "whole": 2.0}) == wanted


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("4 / 2", 2),
        ("1 / 2", 0.5),
        ("[1..3]", [1, 2, 3]),
        ("$map([1, 2], function($x) { {'n': $x} })", [{"n": 1}, {"n": 2}]),
        ("null", None),
        ("true", True),
        ("{'a': [], 'b': {}}", {"a": [], "b": {}}),
        ("$parse('{\"a\": [1]}')", {"a": [1]}),
        ("$toMillis('2026-03-01T12:00:00Z')", 1772366400000),
        ("$now()", "2026-03-01T12:00:00.000Z"),
    ],
)
def test_expression_evaluates_to_plain_json(expression: str, value: Any) -> None:
    with stub_cloud(passing(expression)) as cloud:
        output = output_of(cloud)
        assert output == value
        assert type(output) is type(value)


@pytest.mark.parametrize("expression", ["$states.input.missing", "$error('no')", "1 +", "$sum('a')"])
def test_expression_fails_as_a_query_evaluation_error_without_a_value(expression: str) -> None:
    with stub_cloud(passing(expression)) as cloud:
        assert cloud.run()["error"] == "States.QueryEvaluationError"


def test_choice_takes_the_branch_of_its_condition() -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Condition": "{% $states.input.n > 1 %}", "Next": "Many"}],
        "Default": "Few",
    }
    fail = {"Name": "Few", "Type": "Fail", "Error": "Few"}
    with stub_cloud(choice, fail, {"Name": "Many", "Type": "Succeed"}) as cloud:
        assert cloud.run({"n": 2}, "two")["status"] == "SUCCEEDED"
        assert cloud.run({"n": 1}, "one")["error"] == "Few"


def test_fail_keeps_the_quotes_and_newlines_of_its_cause() -> None:
    cause = {"Summary": 'it "failed"\nhere'}
    fail = {
        "Type": "Fail",
        "Error": "{% $states.input.name %}",
        "Cause": "{% $string($states.input.cause) %}",
    }
    with stub_cloud(fail) as cloud:
        execution = cloud.run({"name": "DrainFailed", "cause": cause})
        assert execution["error"] == "DrainFailed"
        assert json.loads(execution["cause"]) == cause


def test_history_has_simulated_times() -> None:
    with stub_cloud(WAIT) as cloud:
        arn = cloud.run()["executionArn"]
        events = cloud.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
        offsets = [(event["type"], (event["timestamp"] - START).total_seconds()) for event in events]
        assert offsets == [
            ("ExecutionStarted", 0),
            ("WaitStateEntered", 0),
            ("WaitStateExited", 350),
            ("ExecutionSucceeded", 350),
        ]


def stop(cloud: StubCloud, arn: str) -> None:
    cloud.client("stepfunctions").stop_execution(executionArn=arn, error="Enough", cause='said "stop"')


def aborted_after(cloud: StubCloud, seconds: float) -> float:
    """Stop an execution after some seconds, and return how long it took."""
    arn = cloud.start()
    cloud.clock.advance(seconds)
    stop(cloud, arn)
    cloud.clock.advance(1000)
    execution = cloud.describe(arn)
    assert (execution["status"], execution["error"]) == ("ABORTED", "Enough"), execution
    assert execution["cause"] == 'said "stop"'
    return seconds_of(execution)


def test_stop_during_a_wait_aborts_at_once() -> None:
    with stub_cloud(WAIT) as cloud:
        assert aborted_after(cloud, 100) == 100


def test_stop_during_a_retry_aborts_at_once() -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "MaxAttempts": 9}]
    with stub_cloud(invoke("${Fail}", Retry=retry)) as cloud:
        assert aborted_after(cloud, 10) == 10
        assert [call.operation for call in cloud.recorder.calls].count("Invoke") == 1


def test_stop_before_the_first_state_aborts_without_a_call() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        arn = cloud.start()
        stop(cloud, arn)
        cloud.clock.advance(1)
        assert cloud.describe(arn)["status"] == "ABORTED"
        assert "Invoke" not in [call.operation for call in cloud.recorder.calls]


def test_stop_just_before_a_worker_begins_aborts_without_a_traceback(capfd: Any) -> None:
    with stub_cloud(WAIT) as cloud:
        original = execution_worker.ExecutionWorker._get_evaluation_entrypoint

        def stopped_meanwhile(worker: Any) -> Any:
            stop(cloud, worker._evaluation_details.execution_details.arn)
            return original(worker)

        with patch.object(execution_worker.ExecutionWorker, original.__name__, stopped_meanwhile):
            arn = cloud.start()
            cloud.clock.advance(1)
        assert cloud.describe(arn)["status"] == "ABORTED"
        assert capfd.readouterr().err == ""


def test_stop_after_the_last_state_does_not_prevent_success() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        terminated = BaseExecutionWorkerCommunication.terminated

        def stopped_meanwhile(comm: Any) -> None:
            stop(cloud, comm.execution.exec_arn)
            assert cloud.describe(comm.execution.exec_arn)["status"] == "RUNNING"
            terminated(comm)

        with patch.object(BaseExecutionWorkerCommunication, "terminated", stopped_meanwhile):
            assert cloud.run()["status"] == "SUCCEEDED"


def test_execution_is_timed_out_after_its_simulated_seconds() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(template(chain(WAIT) | {"TimeoutSeconds": 60}))
        execution = cloud.run()
        assert (execution["status"], seconds_of(execution)) == ("TIMED_OUT", 60)


def test_execution_is_not_timed_out_after_its_end() -> None:
    with stub_cloud() as cloud:
        cloud.deploy(template(chain(WAIT) | {"TimeoutSeconds": 360}))
        arn = cloud.run()["executionArn"]
        cloud.clock.advance(100)
        assert cloud.describe(arn)["status"] == "SUCCEEDED"


def test_stop_of_an_ended_execution_changes_nothing() -> None:
    with stub_cloud({"Type": "Succeed"}) as cloud:
        execution = cloud.run()
        stop(cloud, execution["executionArn"])
        assert cloud.describe(execution["executionArn"])["status"] == "SUCCEEDED"


def test_start_execution_generates_a_name_without_one() -> None:
    with stub_cloud(WAIT) as cloud:
        client, machine = cloud.client("stepfunctions"), cloud.outputs["MachineArn"]
        arns = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]
        assert len({cloud.describe(arn)["name"] for arn in arns} - {None}) == 2
        assert all(arn.endswith(cloud.describe(arn)["name"]) for arn in arns)


def test_start_execution_returns_the_running_one_with_the_same_name_and_input() -> None:
    with stub_cloud(WAIT) as cloud:
        assert cloud.start("one", {"a": 1}) == cloud.start("one", {"a": 1})


@pytest.mark.parametrize(("ended", "event"), [(True, {"a": 1}), (False, {"a": 2})])
def test_start_execution_is_refused_with_a_used_name(ended: bool, event: Any) -> None:  # noqa: FBT001
    with stub_cloud(WAIT) as cloud:
        cloud.start("one", {"a": 1})
        cloud.clock.advance(400 if ended else 0)
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            cloud.start("one", event)


def test_start_execution_is_refused_with_an_input_that_is_not_json() -> None:
    with stub_cloud(WAIT) as cloud:
        machine = cloud.outputs["MachineArn"]
        with pytest.raises(ClientError, match=r"\(InvalidExecutionInput\)"):
            cloud.client("stepfunctions").start_execution(stateMachineArn=machine, input="{")


def trace_of_many() -> Any:
    retry = [{"ErrorEquals": ["NotReadyError"], "IntervalSeconds": 5, "MaxAttempts": 1}]
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
    look = invoke("${Look}", Assign={"n": "{% $states.input.n %}"})
    wait = {"Type": "Wait", "Seconds": "{% $n %}"}
    done = {"Name": "Done", "Type": "Succeed"}
    with stub_cloud(look, wait, invoke("${Fail}", Retry=retry, Catch=catch), done) as cloud:
        arns = [cloud.start(f"e{number}", {"n": 30 + number % 3}) for number in range(10)]
        cloud.clock.run_until(lambda: all(cloud.describe(arn)["status"] == "SUCCEEDED" for arn in arns))
        calls = [(call.at, call.operation, call.role) for call in cloud.recorder.calls]
        return calls, [seconds_of(cloud.describe(arn)) for arn in arns]


once = cache(trace_of_many)


def test_ten_concurrent_executions_run_the_same_way_twice() -> None:
    assert trace_of_many() == once()


def test_ten_concurrent_executions_each_take_their_own_time() -> None:
    assert once()[1] == [35, 36, 37, 35, 36, 37, 35, 36, 37, 35]
