import json
import os
from typing import Any

import pytest

from support.stub_functions import StubCloud, invoke, stub_cloud


def call(cloud: StubCloud, name: str, event: Any = None) -> tuple[Any, Any]:
    response = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return json.loads(response["Payload"].read()), response


def look(cloud: StubCloud, event: Any = None) -> Any:
    return call(cloud, cloud.outputs["LookArn"], event)[0]


def test_function_has_the_environment_of_its_template_and_of_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_PROCESS", "1")
    with stub_cloud(invoke("${Look}")) as cloud:
        environment = look(cloud)["environment"]
        assert environment["TABLE"] == cloud.outputs["TableName"]
        assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
        assert environment["AWS_LAMBDA_FUNCTION_VERSION"] == "1"
        assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-central-1"
        assert environment["PATH"] == os.environ["PATH"]
        assert "OF_THE_PROCESS" not in environment


def test_function_does_not_change_the_environment_of_the_process() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        before = dict(os.environ)
        look(cloud)
        assert dict(os.environ) == before


def test_function_context_has_the_version_and_the_whole_time_out() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        answer = look(cloud)
        assert answer["arn"] == cloud.outputs["LookArn"]
        assert answer["arn"].endswith(":1")
        assert answer["remaining"] == 30_000


def test_function_is_found_by_name_arn_and_version_arn() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        arn = cloud.outputs["LookArn"].removesuffix(":1")
        name = arn.rpartition(":")[2]
        for reference in (name, arn, f"{arn}:1"):
            assert call(cloud, reference)[0]["module"] == "support.stub_functions"


def test_function_error_is_returned_in_the_format_of_lambda() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        body, response = call(cloud, cloud.outputs["FailName"], {"message": 'no "é"'})
        assert (response["StatusCode"], response["FunctionError"]) == (200, "Unhandled")
        assert (body["errorType"], body["errorMessage"]) == ("NotReadyError", 'no "é"')
        assert "stub_functions.py" in body["stackTrace"][-1]


def test_function_is_not_found_when_it_does_not_exist() -> None:
    with stub_cloud() as cloud:
        client = cloud.client("lambda")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName="nothing")


def messages(cloud: StubCloud, group: str) -> list[str]:
    events = cloud.client("logs").filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in events]


def test_function_output_goes_to_its_log_group_and_not_to_the_process(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        look(cloud, {"a": 1})
        print("of the process")  # noqa: T201 - this is the subject
        assert messages(cloud, cloud.outputs["LookLogs"]) == [
            '{"looking": {"a": 1}}',
            "logged by the handler",
        ]
    assert capsys.readouterr().out == "of the process\n"


def test_function_uses_the_default_log_group_without_another() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        name = cloud.outputs["FailName"]
        call(cloud, name)
        assert messages(cloud, f"/aws/lambda/{name}") == []
