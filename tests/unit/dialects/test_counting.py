"""The formats' counts of tokens, made one."""

from __future__ import annotations

import pytest

from agent.dialects import DIALECTS
from agent.model.content import NO_USAGE, Usage
from agent.model.conversation import NO_COUNT

USAGE = Usage(
    input_tokens=100, output_tokens=50, cache_read_tokens=40, cache_write_tokens=7, reasoning_tokens=20
)
TOTALS = {
    "openai-chat": (100, 50),
    "openai-responses": (100, 50),
    "anthropic-messages": (147, 50),
    "gemini-generate-content": (100, 70),
}


@pytest.mark.parametrize("dialect", TOTALS)
def test_input_holds_what_was_cached_and_output_what_was_thought(dialect: str) -> None:
    count = DIALECTS[dialect].count(USAGE)
    assert (count.input, count.output) == TOTALS[dialect]
    assert (count.cache_read, count.cache_write, count.reasoning) == (40, 7, 20)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_a_provider_did_not_say_stays_unknown(dialect: str) -> None:
    assert DIALECTS[dialect].count(NO_USAGE) == NO_COUNT
