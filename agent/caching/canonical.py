"""A request in the one spelling by which it is found again, and what keeps it from being cached at all. Pure.

Neither the order of keys, nor white space, nor `1` for `1.0`, nor a default that is spelt out makes another question.
Left out is what does not change the answer: whether it is streamed, who asks, what the provider may cache or bill.
What is not known here stays in: a new field makes new questions, never wrong answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import orjson
import re2

from agent.model.conversation import Json

_PERSON = b"drawbridge-cache"
_WHOLE_FLOAT = re2.compile(rb"\.0[,}\]]")  # RE2 is five times faster at this than `in`
_HINT = re2.compile(rb'"cache_control"')
_WHOLE = float(2**53)  # beyond it floats are no whole numbers that JSON readers agree on

_IGNORED = frozenset(
    {
        "stream",
        "stream_options",
        "user",
        "metadata",
        "labels",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "service_tier",
        "store",
        "model",  # the resolved one stands in the key
    }
)
_OPENAI: Mapping[str, Json] = {
    "n": 1,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "response_format": {"type": "text"},
    "modalities": ["text"],
    "stop": [],
    "tools": [],
    "logit_bias": {},
    "truncation": "disabled",
    "background": False,
    "include": [],
    "text": {"format": {"type": "text"}},
}
DEFAULTS: Mapping[str, Mapping[str, Json]] = {
    "openai-chat": _OPENAI,
    "openai-responses": _OPENAI,
    "anthropic-messages": {
        "temperature": 1,
        "tool_choice": {"type": "auto"},
        "stop_sequences": [],
        "tools": [],
        "thinking": {"type": "disabled"},
        "system": [],
    },
    "gemini-generate-content": {"tools": [], "safetySettings": [], "generationConfig": {}},
}
"""What each format's reference gives as the value of a field that is left out."""

_STATEFUL = (
    "previous_response_id",
    "conversation",
    "background",
    "container",
    "mcp_servers",
    "cachedContent",
    "cached_content",
    "web_search_options",
)
_PLAIN_TOOLS = frozenset({"function", "custom", ""})
_CLIENT_TOOLS = ("bash_", "text_editor_", "computer_", "memory_")  # Anthropic's, which the client runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as the cache reads it. `obstacle` says why it is never cached, in a word; empty where it may be."""

    canonical: bytes = field(repr=False)
    obstacle: str = ""
    temperature: float | None = None


def read_request(dialect: str, body: bytes, safe_tools: Collection[str] = ()) -> Request:
    """What `body`, a request in `dialect`, asks."""
    try:
        tree: Json = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Request(canonical=b"", obstacle="unreadable")
    if not isinstance(tree, dict):
        return Request(canonical=b"", obstacle="unreadable")
    obstacle = _obstacle(tree, safe_tools)
    temperature = _temperature(tree)
    if obstacle:
        return Request(canonical=b"", obstacle=obstacle, temperature=temperature)
    try:
        canonical = _canonical(dialect, tree, hinted=bool(_HINT.search(body)))
    except (orjson.JSONEncodeError, RecursionError):
        return Request(canonical=b"", obstacle="unreadable")
    return Request(canonical=canonical, temperature=temperature)


def key_of(secret: bytes, *parts: bytes) -> bytes:
    """32 bytes that name `parts`; without `secret` (at most 64 bytes) nobody can try out what they were."""
    digest = hashlib.blake2b(key=secret, digest_size=32, person=_PERSON)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


def _canonical(dialect: str, tree: dict[str, Json], *, hinted: bool) -> bytes:
    usual = DEFAULTS.get(dialect, {})
    kept: dict[str, Json] = {
        name: value
        for name, value in tree.items()
        if name not in _IGNORED and value is not None and not (name in usual and _same(value, usual[name]))
    }
    if hinted:
        _drop_hints(kept)
    data = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    if _WHOLE_FLOAT.search(data):  # or a text that looks like one: then it costs a little more
        data = orjson.dumps(_whole(kept), option=orjson.OPT_SORT_KEYS)
    return data


def _same(value: Json, usual: Json) -> bool:
    """Whether `value` is the default: True is not 1, but 1.0 is."""
    return value == usual and isinstance(value, bool) == isinstance(usual, bool)


def _whole(node: Json) -> Json:
    """`node` with whole numbers written as such."""
    if isinstance(node, float):
        return int(node) if node.is_integer() and abs(node) < _WHOLE else node
    if isinstance(node, dict):
        return {name: _whole(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_whole(value) for value in node]
    return node


def _drop_hints(node: Json) -> None:
    """Take out where the provider may cache: clients move these marks from turn to turn."""
    if isinstance(node, dict):
        hint = node.get("cache_control")
        if isinstance(hint, dict) and hint.get("type") == "ephemeral":
            del node["cache_control"]
        for value in node.values():
            _drop_hints(value)
    elif isinstance(node, list):
        for value in node:
            _drop_hints(value)


def _temperature(tree: dict[str, Json]) -> float | None:
    found = tree.get("temperature")
    config = tree.get("generationConfig", tree.get("generation_config"))
    if found is None and isinstance(config, dict):
        found = config.get("temperature")
    return float(found) if isinstance(found, int | float) else None


def _obstacle(tree: dict[str, Json], safe_tools: Collection[str]) -> str:
    if any(tree.get(name) for name in _STATEFUL) or tree.get("store") is True:
        return "stateful"
    if isinstance(tree.get("prompt"), dict):
        return "stateful"  # a prompt kept at the provider, which may change
    config = tree.get("generationConfig", tree.get("generation_config"))
    counts = [tree.get("n"), config.get("candidateCount") if isinstance(config, dict) else None]
    if any(isinstance(count, int | float) and count > 1 for count in counts):
        return "choices"
    tools = tree.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict) and not _runs_here(tool, safe_tools):
            return "hosted_tool"
    return ""


def _runs_here(tool: dict[str, Json], safe_tools: Collection[str]) -> bool:
    """Whether a tool is run by the client, or is one that policy calls safe. The provider's own look things up now,
    or do them."""
    if "functionDeclarations" in tool or "function_declarations" in tool:
        return len(tool) == 1 or all(name in safe_tools for name in tool if not name.startswith("function"))
    kind = tool.get("type", "")
    if "type" not in tool and "name" not in tool:  # Gemini: {"googleSearch": {}}
        return all(name in safe_tools for name in tool)
    if not isinstance(kind, str) or kind in safe_tools or kind.rpartition("_")[0] in safe_tools:
        return isinstance(kind, str)
    return kind in _PLAIN_TOOLS or kind.startswith(_CLIENT_TOOLS)
