"""Errors say what is wrong and how to mend it."""

from __future__ import annotations

import inspect

import pytest

from agent import errors
from agent.errors import DrawbridgeError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DrawbridgeError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_and_how_to_mend_it(kind: type[DrawbridgeError]) -> None:
    error = kind("the port is taken", hint="choose another")
    assert str(error) == "the port is taken"
    assert error.hint() == "choose another"
    assert kind("x").hint() == ""
