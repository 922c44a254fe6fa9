"""What refusals and failures are about."""

from __future__ import annotations

from agent.accounts.denials import Kind
from agent.dialects.faults import Fault
from agent.gateway import faults
from agent.routing.failures import Cause


def test_of_denials_only_that_of_a_model_is_about_more_than_its_status() -> None:
    assert {kind for kind in Kind if faults.of_denial(kind) is not Fault.UNSAID} == {Kind.MODEL_BLOCKED}


def test_of_failures_those_of_a_model_and_of_a_length_are_named() -> None:
    named = {cause: fault for cause in Cause if (fault := faults.of_cause(cause)) is not Fault.UNSAID}
    assert named == {Cause.UNKNOWN_MODEL: Fault.MODEL, Cause.TOO_LONG: Fault.LENGTH}
