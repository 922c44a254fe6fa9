"""Reads what services answer. Nothing is believed: each value is asked for by type, or the answer is malformed."""

from __future__ import annotations

import orjson

from agent.checks.ports import CheckError, Failure, HttpAnswer

type Json = dict[str, Json] | list[Json] | str | int | float | bool | None

_MAX_CATEGORY = 64


def json_object(answer: HttpAnswer) -> dict[str, Json]:
    """The JSON object of an answer with status 200. Raises CheckError."""
    _check_status(answer.status)
    return as_object(_parsed(answer.body), "the answer")


def json_list(answer: HttpAnswer) -> list[Json]:
    """The JSON array of an answer with status 200. Raises CheckError."""
    _check_status(answer.status)
    return as_list(_parsed(answer.body), "the answer")


def as_object(value: Json, name: str) -> dict[str, Json]:
    """`value`, which must be an object. `name` is for the error."""
    if not isinstance(value, dict):
        raise malformed(f"{name} is no object")
    return value


def as_list(value: Json, name: str) -> list[Json]:
    """`value`, which must be an array."""
    if not isinstance(value, list):
        raise malformed(f"{name} is no array")
    return value


def optional_list(value: Json, name: str) -> list[Json]:
    """`value`, which must be an array if it is there."""
    return [] if value is None else as_list(value, name)


def as_text(value: Json, name: str) -> str:
    """`value`, which must be a string."""
    if not isinstance(value, str):
        raise malformed(f"{name} is no string")
    return value


def as_flag(value: Json, name: str) -> bool:
    """`value`, which must be true or false."""
    if not isinstance(value, bool):
        raise malformed(f"{name} is neither true nor false")
    return value


def as_whole(value: Json, name: str) -> int:
    """`value`, which must be a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise malformed(f"{name} is no whole number")
    return value


def as_share(value: Json, name: str) -> float:
    """`value`, which must be a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise malformed(f"{name} is no number from 0 to 1")
    return float(value)


def as_category(value: Json, name: str) -> str:
    """`value` as a finding's rule: a short printable string, for it goes into events and messages."""
    text = as_text(value, name)
    return "".join(letter for letter in text[:_MAX_CATEGORY] if letter.isprintable()) or "unnamed"


def within(start: int, end: int, text: str, name: str) -> tuple[int, int]:
    """A span, which must lie in `text` and hold something."""
    if not 0 <= start < end <= len(text):
        raise malformed(f"{name} lies outside its text")
    return start, end


def malformed(detail: str) -> CheckError:
    """The error for an answer that is not what the service promises."""
    return CheckError(Failure.MALFORMED, detail)


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise CheckError(Failure.CREDENTIALS, f"status {status}")
    if status != 200:
        raise CheckError(Failure.STATUS, f"status {status}")


def _parsed(body: bytes) -> Json:
    try:
        value: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise malformed("the answer is no JSON") from None
    return value
