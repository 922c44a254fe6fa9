"""How the formats' counts of tokens become one: `TokenCount`, in which nothing is left out and nothing counts twice."""

from __future__ import annotations

from agent.model.content import Usage
from agent.model.conversation import TokenCount


def inclusive(usage: Usage) -> TokenCount:
    """Input holds what was cached, output what was thought: OpenAI and those that speak like it."""
    return _count(usage, usage.input_tokens, usage.output_tokens)


def cache_apart(usage: Usage) -> TokenCount:
    """Input leaves out what came from the cache or went into it: Anthropic, Bedrock."""
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    given = usage.input_tokens
    return _count(usage, None if given is None else given + read + written, usage.output_tokens)


def thoughts_apart(usage: Usage) -> TokenCount:
    """Output leaves out what was thought: Gemini."""
    given = usage.output_tokens
    if given is None and usage.reasoning_tokens is None:
        return _count(usage, usage.input_tokens, None)
    return _count(usage, usage.input_tokens, (given or 0) + (usage.reasoning_tokens or 0))


def _count(usage: Usage, given: int | None, made: int | None) -> TokenCount:
    return TokenCount(
        input=given,
        output=made,
        cache_read=usage.cache_read_tokens,
        cache_write=usage.cache_write_tokens,
        reasoning=usage.reasoning_tokens,
    )
