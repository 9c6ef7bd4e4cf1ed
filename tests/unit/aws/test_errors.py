"""The errors that are worth a retry, and the others."""

from __future__ import annotations

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from natdrain.aws import errors
from natdrain.aws.ssm import read_calendar
from natdrain.model.errors import TransientFailure
from natdrain.model.look import ChangeCalendar, Unread


def answered(code: str, status: int = 400, message: str = "why") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")  # type: ignore[arg-type]  # all that is read of a response


@pytest.mark.parametrize("code", sorted(errors.TRANSIENT_CODES))
def test_answer_is_transient_with_the_codes_that_say_so(code: str) -> None:
    with pytest.raises(TransientFailure, match=code), errors.transient_failures():
        raise answered(code)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_answer_is_transient_with_every_server_error_and_with_too_many_requests(status: int) -> None:
    with pytest.raises(TransientFailure), errors.transient_failures():
        raise answered("NeverHeardOf", status=status)


@pytest.mark.parametrize("code", sorted(errors.DOUBTED_CODES))
def test_answer_about_clock_or_credentials_is_transient_if_the_call_is_repeatable(code: str) -> None:
    with pytest.raises(TransientFailure, match=code), errors.transient_failures(repeatable=True):
        raise answered(code, status=401)


@pytest.mark.parametrize("code", sorted(errors.DOUBTED_CODES))
def test_answer_about_clock_or_credentials_is_definite_if_the_call_is_made_once(code: str) -> None:
    with pytest.raises(ClientError), errors.transient_failures():
        raise answered(code, status=401)


def test_answer_is_passed_on_when_nothing_says_that_it_is_transient() -> None:
    with pytest.raises(ClientError), errors.transient_failures():
        raise answered("InvalidParameter")


@pytest.mark.parametrize(
    "trouble",
    [
        exceptions.ConnectTimeoutError(endpoint_url="x"),
        exceptions.ReadTimeoutError(endpoint_url="x"),
        exceptions.EndpointConnectionError(endpoint_url="x"),
        exceptions.ConnectionClosedError(endpoint_url="x"),
        exceptions.SSLError(endpoint_url="x", error="x"),
        ResponseParserError("not well-formed"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_connection_that_fails_is_transient(trouble: Exception) -> None:
    with pytest.raises(TransientFailure), errors.transient_failures():
        raise trouble


def test_text_leaves_out_the_encoded_part_of_a_denial() -> None:
    error = answered("UnauthorizedOperation", message="No. Encoded authorization failure message: AAAA")
    assert errors.text_of(error) == "UnauthorizedOperation: No."


def read(*, last_attempt: bool) -> ChangeCalendar | Unread:
    return errors.read(lambda: read_calendar(["freeze"]), last_attempt=last_attempt)


def test_read_that_is_denied_is_not_tried_again(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "AccessDeniedException", "You may not", http_status_code=400)
    assert read(last_attempt=False) == Unread("AccessDeniedException: You may not")


def test_read_that_is_throttled_is_tried_again_by_the_workflow(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "ThrottlingException", "Slow down", http_status_code=400)
    with pytest.raises(TransientFailure, match="Slow down"):
        read(last_attempt=False)


def test_read_that_is_doubted_is_tried_again_by_the_workflow(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "ExpiredTokenException", "Old", http_status_code=400)
    with pytest.raises(TransientFailure, match="Old"):
        read(last_attempt=False)


def test_read_that_is_throttled_to_the_end_is_no_answer(ssm: Stubber) -> None:
    ssm.add_client_error("get_calendar_state", "ThrottlingException", "Slow down", http_status_code=400)
    assert read(last_attempt=True) == Unread("ThrottlingException: Slow down")


def test_read_that_answers_is_what_it_answered(ssm: Stubber) -> None:
    ssm.add_response("get_calendar_state", {"State": "OPEN"})
    assert read(last_attempt=True) == ChangeCalendar(closed=False)
