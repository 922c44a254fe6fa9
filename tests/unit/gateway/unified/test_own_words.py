"""What a request says that is the gateway's business."""

from __future__ import annotations

import orjson
import pytest

from agent.gateway.unified.own_words import OwnWords, own_words


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"model":"m"}', OwnWords(usage=False)),
        (b'{"fallbacks":["a/b"],"tools":[{},{}]}', OwnWords(fallbacks=["a/b"], tools=2, usage=False)),
        (b'{"stream_options":{"include_usage":true}}', OwnWords()),
        (rb'{"f\u0061llbacks":["a/b"]}', OwnWords(fallbacks=["a/b"], usage=False)),
        (
            b'{"tools":[{"functionDeclarations":[{},{},{}]},{"googleSearch":{}}]}',
            OwnWords(tools=4, usage=False),
        ),
        (b'{"toolConfig":{"tools":[{"toolSpec":{}}]}}', OwnWords(tools=1, usage=False)),
        (b'{"tools": ', OwnWords(usage=False)),
        (b'["tools"]', OwnWords(usage=False)),
    ],
)
def test_fallbacks_tools_and_the_wish_for_counts_are_read(body: bytes, found: OwnWords) -> None:
    assert own_words(body) == found


@pytest.mark.parametrize(
    ("document", "thinks"),
    [
        ({"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"reasoning": {"effort": "low"}}, True),
        ({"reasoning": {"effort": "minimal", "summary": "auto"}}, False),
        ({"reasoning": {"enabled": True}}, True),
        ({"reasoning": {"max_tokens": 2000}}, True),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, True),
        ({"thinking": {"type": "adaptive"}}, True),
        ({"thinking": {"type": "disabled"}}, False),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}}, True),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, False),
        ({"generation_config": {"thinking_config": {"thinking_level": "HIGH"}}}, True),
        ({"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}, False),
        ({"additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 9}}}, True),
        ({"messages": [{"thinking": "x"}]}, False),
    ],
)
def test_a_wish_for_thought_is_read_in_every_format(document: dict[str, object], thinks: bool) -> None:
    assert own_words(orjson.dumps(document), thought=True).thought is thinks
    assert not own_words(orjson.dumps(document)).thought
