"""What failures mean: the table of docs/routing.md."""

from __future__ import annotations

import pytest

from agent.routing.failures import ANSWERS, Cause, Failure, Remedy, of_status, of_stream_error


@pytest.mark.parametrize(
    ("status", "body", "cause", "remedy"),
    [
        (429, b"", Cause.RATE_LIMITED, Remedy.ROTATE),
        (429, b'{"error":{"code":"insufficient_quota"}}', Cause.CREDENTIALS, Remedy.DROP_KEY),
        (401, b"", Cause.CREDENTIALS, Remedy.DROP_KEY),
        (402, b"", Cause.CREDENTIALS, Remedy.DROP_KEY),
        (403, b"", Cause.CREDENTIALS, Remedy.DROP_KEY),
        (400, b'{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}', Cause.CREDENTIALS, Remedy.DROP_KEY),
        (400, b"Your credit balance is too low to access", Cause.CREDENTIALS, Remedy.DROP_KEY),
        (500, b"", Cause.SERVER, Remedy.SAME_KEY),
        (502, b"", Cause.SERVER, Remedy.SAME_KEY),
        (503, b"", Cause.OVERLOADED, Remedy.SAME_KEY),
        (529, b"", Cause.OVERLOADED, Remedy.SAME_KEY),
        (504, b"", Cause.TIMEOUT, Remedy.SAME_KEY),
        (408, b"", Cause.SERVER, Remedy.SAME_KEY),
        (400, b'{"error":{"message":"temperature"}}', Cause.REJECTED, Remedy.NONE),
        (422, b"", Cause.REJECTED, Remedy.NONE),
        (405, b"", Cause.REJECTED, Remedy.NONE),
        (302, b"", Cause.REJECTED, Remedy.NONE),
        (404, b"", Cause.UNKNOWN_MODEL, Remedy.NAMED),
        (400, b'{"error":{"code":"model_not_found"}}', Cause.UNKNOWN_MODEL, Remedy.NAMED),
        (413, b"", Cause.TOO_LONG, Remedy.NAMED),
        (400, b'{"error":{"code":"context_length_exceeded"}}', Cause.TOO_LONG, Remedy.NAMED),
        (400, b"prompt is too long: 214850 tokens > 200000 maximum", Cause.TOO_LONG, Remedy.NAMED),
        (
            400,
            b"The input token count (9) exceeds the maximum number of tokens",
            Cause.TOO_LONG,
            Remedy.NAMED,
        ),
    ],
)
def test_an_answer_is_classified(status: int, body: bytes, cause: Cause, remedy: Remedy) -> None:
    failure = of_status(status, (), body)
    assert (failure.cause, failure.remedy, failure.status) == (cause, remedy, status)


@pytest.mark.parametrize(
    ("kind", "status", "cause"),
    [
        ("overloaded_error", 0, Cause.OVERLOADED),
        ("rate_limit_error", 0, Cause.RATE_LIMITED),
        ("rate_limit_exceeded", 0, Cause.RATE_LIMITED),
        ("insufficient_quota", 0, Cause.CREDENTIALS),
        ("authentication_error", 0, Cause.CREDENTIALS),
        ("invalid_request_error", 0, Cause.REJECTED),
        ("context_length_exceeded", 0, Cause.TOO_LONG),
        ("server_error", 0, Cause.SERVER),
        ("RESOURCE_EXHAUSTED", 0, Cause.RATE_LIMITED),
        ("UNAVAILABLE", 503, Cause.OVERLOADED),
        ("throttlingException", 0, Cause.RATE_LIMITED),
        ("modelStreamErrorException", 0, Cause.SERVER),
        ("validationException", 0, Cause.REJECTED),
        ("something_new", 0, Cause.SERVER),
        ("something_new", 429, Cause.RATE_LIMITED),
        ("", 0, Cause.SERVER),
    ],
)
def test_an_error_inside_a_stream_is_classified(kind: str, status: int, cause: Cause) -> None:
    assert of_stream_error(kind, status).cause is cause


def test_a_limit_says_when_it_is_over() -> None:
    head = ((b"retry-after", b"3"),)
    assert of_status(429, head).retry_after == 3
    assert of_status(503, head).retry_after == 3
    assert of_status(401, head).retry_after is None
    assert of_status(429, (), b'"retryDelay": "2s"').retry_after == 2


def test_every_cause_has_a_remedy_and_a_status_for_the_client() -> None:
    for cause in Cause:
        failure = Failure(cause=cause)
        assert failure.remedy in Remedy
        assert 400 <= failure.client_status < 600


def test_the_client_is_told_whose_fault_it_is() -> None:
    assert Failure(cause=Cause.CREDENTIALS, status=401).client_status == 502  # it must not blame its own key
    assert Failure(cause=Cause.EXHAUSTED, status=401).client_status == 502
    assert Failure(cause=Cause.BUDGET, status=402).client_status == 402
    assert Failure(cause=Cause.BUDGET, status=503).client_status == 503  # the accounts cannot be asked
    assert Failure(cause=Cause.STALLED).client_status == 504
    assert all(Failure(cause=cause, status=422).client_status == 422 for cause in ANSWERS)
