from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support.stub_functions import REGION, START, StubCloud, invoke, stub_cloud

MACHINE_ROLE = "arn:aws:iam::123456789012:role/machine-role"
LOOK_ROLE = "arn:aws:iam::123456789012:role/look-role"
ONCE = Config(retries={"total_max_attempts": 1}, region_name=REGION)
ARN = "arn:aws:states:eu-central-1:123456789012:execution:stub-Machine:gone"

WIRES = [
    ("ec2", "DescribeNatGateways", {}, "RequestLimitExceeded"),
    ("dynamodb", "ListTables", {}, "ProvisionedThroughputExceededException"),
    ("stepfunctions", "DescribeExecution", {"executionArn": ARN}, "ThrottlingException"),
    ("lambda", "Invoke", {"FunctionName": "stub-Look"}, "TooManyRequestsException"),
    ("lambda", "GetFunction", {"FunctionName": "stub-Look"}, "ServiceException"),
    ("sts", "GetCallerIdentity", {}, "Throttling"),
    ("logs", "DescribeLogGroups", {}, "ServiceUnavailableException"),
    ("cloudformation", "DescribeStacks", {}, "Throttling"),
    ("ssm", "GetCalendarState", {"CalendarNames": ["freeze"]}, "InternalServerError"),
]


def request(service: str, operation: str, parameters: dict[str, Any]) -> Any:
    client = boto3.client(service, config=ONCE)
    method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
    return getattr(client, method)(**parameters)


@pytest.mark.parametrize(("service", "operation", "parameters", "code"), WIRES)
def test_fault_reaches_the_client_with_its_code(
    service: str, operation: str, parameters: dict[str, Any], code: str
) -> None:
    with stub_cloud() as cloud:
        cloud.inject(operation=f"{service}:{operation}", error=code, message="<no> & never")
        with pytest.raises(ClientError) as raised:
            request(service, operation, parameters)
    error = raised.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == (code, "<no> & never")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.parametrize(("service", "operation", "parameters", "code"), WIRES)
def test_call_is_recorded_with_its_parameters_and_error(
    service: str, operation: str, parameters: dict[str, Any], code: str
) -> None:
    with stub_cloud() as cloud:
        cloud.inject(operation=f"{service}:{operation}", error=code)
        with pytest.raises(ClientError):
            request(service, operation, parameters)
        (call,) = cloud.recorder.calls
    assert (call.at, call.service, call.operation, call.role) == (START, service, operation, None)
    assert call.error == code
    assert parameters.items() <= call.parameters.items()


def test_call_is_recorded_with_the_error_of_the_service() -> None:
    with stub_cloud() as cloud:
        with pytest.raises(ClientError):
            request("ec2", "DescribeInstances", {"InstanceIds": ["i-0123456789abcdef0"]})
        (call,) = cloud.recorder.calls
    assert call.error == "InvalidInstanceID.NotFound"
    assert call.parameters == {"InstanceIds": ["i-0123456789abcdef0"]}


@pytest.mark.parametrize("code", ["InvalidAddress.PtrSet", "InvalidAddress.Locked", "AuthFailure"])
def test_fault_of_release_address_keeps_the_eip(code: str) -> None:
    with stub_cloud() as cloud:
        allocation_id = request("ec2", "AllocateAddress", {"Domain": "vpc"})["AllocationId"]
        cloud.inject(operation="ec2:ReleaseAddress", error=code, status=400)
        with pytest.raises(ClientError) as raised:
            request("ec2", "ReleaseAddress", {"AllocationId": allocation_id})
        cloud.clock.advance(60)
        assert request("ec2", "DescribeAddresses", {"AllocationIds": [allocation_id]})["Addresses"]
    answer = raised.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, 400)


def roles_of(cloud: StubCloud) -> list[tuple[str, str | None]]:
    return [(call.operation, call.role) for call in cloud.recorder.calls]


def test_call_has_the_role_of_the_state_machine_or_of_the_function_or_none() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        cloud.run()
        assert roles_of(cloud)[:4] == [
            ("StartExecution", None),
            ("DescribeExecution", None),
            ("Invoke", MACHINE_ROLE),
            ("DescribeNatGateways", LOOK_ROLE),
        ]
        assert {role for _, role in roles_of(cloud)[4:]} == {None}


def test_call_has_no_role_after_a_function_was_invoked_by_a_client() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        cloud.client("lambda").invoke(FunctionName=cloud.outputs["LookArn"])
        request("ec2", "DescribeNatGateways", {})
        assert [role for _, role in roles_of(cloud)] == [None, LOOK_ROLE, None]


def codes(cloud: StubCloud, count: int) -> list[str | None]:
    for _ in range(count):
        try:
            request("ec2", "DescribeNatGateways", {})
        except ClientError:
            continue
    return [call.error for call in cloud.recorder.calls if call.operation == "DescribeNatGateways"]


def test_fault_affects_only_the_calls_with_its_numbers() -> None:
    with stub_cloud() as cloud:
        cloud.inject(operation="ec2:DescribeNatGateways", calls=frozenset({2, 4}), error="Unavailable")
        assert codes(cloud, 5) == [None, "Unavailable", None, "Unavailable", None]


def test_fault_with_a_duration_affects_every_call_until_it_is_over() -> None:
    with stub_cloud() as cloud:
        cloud.clock.advance(100)
        cloud.inject(operation="ec2:DescribeNatGateways", error="Unavailable", for_seconds=60)
        seen = []
        for seconds in (0, 30, 29, 1, 1000):
            cloud.clock.advance(seconds)
            seen = codes(cloud, 1)
        assert seen == ["Unavailable", "Unavailable", "Unavailable", None, None]


def test_fault_with_a_duration_and_a_number_begins_with_that_call() -> None:
    with stub_cloud() as cloud:
        fault = {"error": "Unavailable", "calls": frozenset({2}), "for_seconds": 60}
        cloud.inject(operation="ec2:DescribeNatGateways", **fault)
        seen = []
        for seconds in (0, 100, 59, 1):
            cloud.clock.advance(seconds)
            seen = codes(cloud, 1)
        assert seen == [None, "Unavailable", "Unavailable", None]


def test_fault_of_a_role_affects_and_counts_only_calls_of_that_role() -> None:
    with stub_cloud(invoke("${Look}")) as cloud:
        fault = {"calls": frozenset({1}), "role_contains": "look-role", "error": "UnauthorizedOperation"}
        cloud.inject(operation="ec2:DescribeNatGateways", status=403, **fault)
        codes(cloud, 1)
        cloud.client("lambda").invoke(FunctionName=cloud.outputs["LookArn"])
        assert codes(cloud, 0) == [None, "UnauthorizedOperation"]


def test_fault_after_effect_performs_the_operation_and_loses_the_response() -> None:
    with stub_cloud() as cloud:
        cloud.inject(operation="ec2:AllocateAddress", error="InternalError", status=500, after_effect=True)
        with pytest.raises(ClientError):
            request("ec2", "AllocateAddress", {"Domain": "vpc"})
        cloud.clock.advance(60)
        assert len(request("ec2", "DescribeAddresses", {})["Addresses"]) == 1


def test_fault_without_after_effect_prevents_the_operation() -> None:
    with stub_cloud() as cloud:
        cloud.inject(operation="ec2:AllocateAddress", error="InternalError", status=500)
        with pytest.raises(ClientError):
            request("ec2", "AllocateAddress", {"Domain": "vpc"})
        cloud.clock.advance(60)
        assert request("ec2", "DescribeAddresses", {})["Addresses"] == []


def test_fault_of_an_invocation_is_retried_by_its_lambda_error_name() -> None:
    retry = [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 7, "MaxAttempts": 1}]
    with stub_cloud(invoke("${Look}", Retry=retry)) as cloud:
        code = "TooManyRequestsException"
        cloud.inject(operation="lambda:Invoke", calls=frozenset({1}), error=code, status=429)
        assert cloud.run()["status"] == "SUCCEEDED"
        invocations = [call for call in cloud.recorder.calls if call.operation == "Invoke"]
        assert [(call.at - START).total_seconds() for call in invocations] == [0, 7]
        assert [call.error for call in invocations] == [code, None]
