"""What the parts of a check promise each other: nothing that is shown holds content."""

from __future__ import annotations

from agent.checks.ports import CheckError, Failure, HttpAnswer, Piece
from agent.model.content import Role


def test_an_error_says_its_failure_and_detail() -> None:
    assert str(CheckError(Failure.STATUS, "status 500")) == "status: status 500"
    assert str(CheckError(Failure.TIMEOUT)) == "timeout"


def test_texts_and_answers_do_not_show_in_a_traceback() -> None:
    assert "private" not in repr(Piece(role=Role.USER, text="private"))
    assert "private" not in repr(HttpAnswer(status=200, body=b"private"))
