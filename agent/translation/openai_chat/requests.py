"""A Chat Completions request, read.

Owns the fields beside `messages`. Source: the OpenAI API reference, "Create chat completion"; what compatible servers
added (`top_k`, OpenRouter's `reasoning`, DeepSeek's and LiteLLM's `thinking`) is named where it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from agent.dialects.openai_other import deployment
from agent.dialects.shapes import mapping, objects, string
from agent.errors import ContentError
from agent.model.conversation import (
    Conversation,
    Effort,
    Json,
    OutputFormat,
    OutputKind,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
    ToolUse,
)
from agent.translation.documents import read_document
from agent.translation.fields import Document, array, flag, number, text, texts, whole, wrong
from agent.translation.openai_chat.messages import MessageReader, read_cache

_READ = frozenset(
    {
        "model",
        "messages",
        "tools",
        "functions",
        "tool_choice",
        "function_call",
        "parallel_tool_calls",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "n",
        "logprobs",
        "top_logprobs",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "response_format",
        "stream",
        "stream_options",
        "user",
        "safety_identifier",
    }
)
_ELSEWHERE_MEANINGLESS = frozenset(
    {  # where OpenAI looks for a cached prompt, and how long it keeps it: no answer depends on it
        "prompt_cache_key",
        "prompt_cache_retention",
        "prompt_cache_options",
    }
)
_ASKS_NOTHING: Mapping[str, tuple[object, ...]] = MappingProxyType(
    {  # what every API does unless asked otherwise
        "store": (False,),
        "service_tier": ("auto", "default"),
        "modalities": (["text"],),
        "verbosity": ("medium",),
    }
)
_USES = {"auto": ToolUse.AUTO, "none": ToolUse.NONE, "required": ToolUse.REQUIRED, "any": ToolUse.REQUIRED}
# the hub's scale ends where that of most models does
_EFFORTS = {**{effort.value: effort for effort in Effort}, "max": Effort.XHIGH}


def read_request(path: str, body: bytes) -> Conversation:
    """The conversation in `body`. Raises ContentError."""
    document = read_document(body)
    messages = document.get("messages")
    if type(messages) is not list:
        raise wrong("messages", "an array")
    unread = [key for key, value in document.items() if key not in _READ and _asks(key, value)]
    turns = MessageReader(unread).read(messages)
    return Conversation(
        model=text(document, "model") or deployment(path),
        turns=turns,
        tools=_read_tools(document, unread) if "tools" in document or "functions" in document else (),
        tool_choice=_read_choice(document, unread),
        sampling=_read_sampling(document),
        reasoning=_read_reasoning(document),
        output=_read_output(document, unread),
        stream=flag(document, "stream") is True,
        usage_in_stream=_wants_usage(document),
        user=text(document, "user") or text(document, "safety_identifier"),
        unread=tuple(unread),
    )


def _asks(key: str, value: object) -> bool:
    if value is None or value == {} or value == [] or key in _ELSEWHERE_MEANINGLESS:
        return False
    return value not in _ASKS_NOTHING.get(key, ())


def _wants_usage(document: Document) -> bool:
    options = document.get("stream_options")
    # its other option, `include_obfuscation`, pads OpenAI's own chunks
    return mapping(options).get("include_usage") is True


def _read_sampling(document: Document) -> Sampling:
    longest = whole(document, "max_completion_tokens")
    return Sampling(
        max_tokens=whole(document, "max_tokens") if longest is None else longest,
        temperature=number(document, "temperature"),
        top_p=number(document, "top_p"),
        top_k=whole(document, "top_k"),
        stop=texts(document, "stop"),
        seed=whole(document, "seed"),
        frequency_penalty=number(document, "frequency_penalty"),
        presence_penalty=number(document, "presence_penalty"),
        choices=whole(document, "n"),
        logprobs=flag(document, "logprobs"),
        top_logprobs=whole(document, "top_logprobs"),
    )


def _read_tools(document: Document, unread: list[str]) -> tuple[Tool, ...]:
    tools = []
    for index, tool in objects(array(document, "tools")):
        if tool.get("type", "function") == "function":
            tools.append(_read_tool(mapping(tool.get("function")), tool, f"tools[{index}].function"))
        else:
            unread.append(f"tools[{index}].type={tool.get('type')}")
    for index, function in objects(array(document, "functions")):
        tools.append(_read_tool(function, {}, f"functions[{index}]"))
    return tuple(tools)


def _read_tool(function: Document, tool: Document, path: str) -> Tool:
    name = function.get("name")
    if type(name) is not str or not name:
        raise wrong(f"{path}.name", "a name")
    return Tool(
        name=name,
        description=text(function, "description"),
        parameters=cast("dict[str, Json]", mapping(function.get("parameters"))),
        strict=flag(function, "strict"),
        cache=read_cache(tool) or read_cache(function),
    )


def _read_choice(document: Document, unread: list[str]) -> ToolChoice | None:
    wanted = document.get("tool_choice")
    parallel = flag(document, "parallel_tool_calls")
    if wanted is None:
        wanted = document.get("function_call")
    match wanted:
        case None:
            return None if parallel is None else ToolChoice(parallel=parallel)
        case str() if wanted in _USES:
            return ToolChoice(use=_USES[wanted], parallel=parallel)
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return ToolChoice(use=ToolUse.NAMED, name=name, parallel=parallel)
        case {"type": kind}:
            unread.append(f"tool_choice.type={kind}")
            return None if parallel is None else ToolChoice(parallel=parallel)
    raise wrong("tool_choice", "auto, none, required or the name of a function")


def _read_reasoning(document: Document) -> Reasoning | None:
    effort = document.get("reasoning_effort")
    if effort is not None:
        return Reasoning(effort=_effort(effort, "reasoning_effort"))
    if document.get("reasoning") is not None:  # OpenRouter
        return _read_openrouter(mapping(document["reasoning"]))
    thinking = mapping(document.get("thinking"))
    match thinking.get("type"):  # Anthropic's object, as LiteLLM and DeepSeek take it
        case "enabled" | "adaptive":
            budget = whole(thinking, "budget_tokens")
            return Reasoning(budget_tokens=-1 if budget is None else budget, summary="auto")
        case "disabled":
            return Reasoning(effort=Effort.NONE)
    return None


def _read_openrouter(reasoning: Document) -> Reasoning | None:
    effort = reasoning.get("effort")
    summary = string(reasoning.get("summary"))
    if effort is not None:
        return Reasoning(effort=_effort(effort, "reasoning.effort"), summary=summary)
    budget = whole(reasoning, "max_tokens")
    if budget is not None:
        return Reasoning(budget_tokens=budget, summary=summary)
    match reasoning.get("enabled"):
        case True:
            return Reasoning(effort=Effort.MEDIUM, summary=summary)  # OpenRouter's own default
        case False:
            return Reasoning(effort=Effort.NONE)
    return None


def _effort(value: object, path: str) -> Effort:
    effort = _EFFORTS.get(string(value))
    if effort is None:
        raise wrong(path, "none, minimal, low, medium, high or xhigh")
    return effort


def _read_output(document: Document, unread: list[str]) -> OutputFormat | None:
    wanted = mapping(document.get("response_format"))
    match wanted.get("type"):
        case None | "text":
            return None
        case "json_object":
            return OutputFormat(kind=OutputKind.JSON)
        case "json_schema":
            inner = mapping(wanted.get("json_schema"))
            schema = inner.get("schema")
            if type(schema) is not dict:
                raise ContentError(
                    "`response_format.json_schema.schema` must be an object",
                    hint="Give the JSON Schema that the answer is to follow.",
                )
            return OutputFormat(
                kind=OutputKind.SCHEMA,
                name=text(inner, "name"),
                description=text(inner, "description"),
                schema=cast("dict[str, Json]", schema),
                strict=flag(inner, "strict"),
            )
    unread.append(f"response_format.type={wanted.get('type')}")
    return None
