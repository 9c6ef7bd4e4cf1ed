"""What is worth a retry, and what is not."""

from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from natdrain.aws import clients as aws
from natdrain.model.errors import TransientFailure


def answered(code: str, status: int = 400, message: str = "why") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")  # type: ignore[arg-type]  # all that is read of a response


@pytest.mark.parametrize("code", sorted(aws.TRANSIENT_CODES))
def test_answer_is_transient_with_the_codes_that_say_so(code: str) -> None:
    with pytest.raises(TransientFailure, match=code), aws.transient_failures():
        raise answered(code)


def test_answer_is_transient_with_every_server_error() -> None:
    with pytest.raises(TransientFailure), aws.transient_failures():
        raise answered("NeverHeardOf", status=503)


def test_answer_is_passed_on_when_nothing_says_that_it_is_transient() -> None:
    with pytest.raises(ClientError), aws.transient_failures():
        raise answered("InvalidParameter")


@pytest.mark.parametrize(
    "trouble",
    [
        exceptions.ConnectTimeoutError(endpoint_url="x"),
        exceptions.ReadTimeoutError(endpoint_url="x"),
        exceptions.EndpointConnectionError(endpoint_url="x"),
        exceptions.ConnectionClosedError(endpoint_url="x"),
        exceptions.SSLError(endpoint_url="x", error="x"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_connection_that_fails_is_transient(trouble: Exception) -> None:
    with pytest.raises(TransientFailure), aws.transient_failures():
        raise trouble


def test_text_leaves_out_the_encoded_part_of_a_denial() -> None:
    error = answered("UnauthorizedOperation", message="No. Encoded authorization failure message: AAAA")
    assert aws.text_of(error) == "UnauthorizedOperation: No."
