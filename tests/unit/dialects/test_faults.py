"""Who can say what an error is about does; everybody else says the error."""

from __future__ import annotations

import pytest

from agent.dialects import DIALECTS
from agent.dialects.faults import Fault, FaultVoice, error_about

SPEAKING = {"openai-chat", "openai-responses"}


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_dialect_tells_an_error_about_anything(name: str) -> None:
    dialect = DIALECTS[name]
    told = error_about(dialect, Fault.MODEL, 404, "No such model.")
    if isinstance(dialect, FaultVoice):
        assert b"model_not_found" in told.body
    else:
        assert told == dialect.error(404, "No such model.")


def test_openais_dialects_are_among_those_who_can() -> None:
    assert {name for name in DIALECTS if isinstance(DIALECTS[name], FaultVoice)} >= SPEAKING
