"""A Messages request, read.

Owns the fields beside the content blocks. Source: the Anthropic API reference, "Create a Message".
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from agent.dialects.anthropic_messages import model_in_path
from agent.dialects.shapes import mapping, objects, string
from agent.model.conversation import (
    Conversation,
    Effort,
    Json,
    Media,
    OutputFormat,
    OutputKind,
    Reasoning,
    Sampling,
    Speaker,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.anthropic_messages.blocks import BlockReader, read_cache
from agent.translation.documents import read_document
from agent.translation.fields import Document, array, entry, flag, number, text, texts, whole, wrong
from agent.translation.moulds import new_turn

_READ = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "thinking",
        "output_config",
        "output_format",
        "stream",
        "metadata",
        "cache_control",
        "anthropic_version",  # Vertex and Bedrock: a version of this format, not a wish
    }
)
_SPEAKERS = {"user": Speaker.USER, "assistant": Speaker.ASSISTANT, "system": Speaker.SYSTEM}
_TOOL = frozenset({"name", "description", "input_schema", "strict", "cache_control", "type"}) | {
    "eager_input_streaming"  # how finely the input streams: every translated stream is as fine as its source
}
_USES = {"auto": ToolUse.AUTO, "none": ToolUse.NONE, "any": ToolUse.REQUIRED}
# the hub's scale ends where that of most models does
_EFFORTS = {**{effort.value: effort for effort in Effort}, "max": Effort.XHIGH}


def read_request(path: str, body: bytes) -> Conversation:
    """The conversation in `body`. Raises ContentError."""
    document = read_document(body)
    unread = [key for key, value in document.items() if key not in _READ and _asks(key, value)]
    blocks = BlockReader(unread)
    turns = _read_system(document, blocks) + _read_messages(document, blocks)
    if cache := read_cache(document):  # "automatic caching": the last block that can be marked
        turns = _marked(turns, cache)
    return Conversation(
        model=text(document, "model") or model_in_path(path),
        turns=tuple(turns),
        tools=_read_tools(document, unread) if "tools" in document else (),
        tool_choice=_read_choice(document, unread),
        sampling=Sampling(
            max_tokens=whole(document, "max_tokens"),
            temperature=number(document, "temperature"),
            top_p=number(document, "top_p"),
            top_k=whole(document, "top_k"),
            stop=texts(document, "stop_sequences"),
        ),
        reasoning=_read_reasoning(document, unread),
        output=_read_output(document, unread),
        stream=flag(document, "stream") is True or path.endswith(":streamRawPredict"),
        user=_read_user(document, unread),
        unread=tuple(unread),
    )


def _asks(key: str, value: object) -> bool:
    if value is None or value == [] or value == {}:
        return False
    return not (key == "service_tier" and value == "auto") and not (key == "speed" and value == "standard")


def _read_user(document: Document, unread: list[str]) -> str:
    metadata = mapping(document.get("metadata"))
    unread += [f"metadata.{key}" for key in metadata if key != "user_id"]
    return string(metadata.get("user_id"))


def _read_system(document: Document, blocks: BlockReader) -> list[Turn]:
    system = document.get("system")
    if system is None:
        return []
    parts = blocks.read(system, "system")
    return [new_turn(Speaker.SYSTEM, tuple(parts))] if parts else []


def _read_messages(document: Document, blocks: BlockReader) -> list[Turn]:
    messages = document.get("messages")
    if type(messages) is not list:
        raise wrong("messages", "an array")
    turns = []
    for index in range(len(messages)):
        message = entry(messages, index, "messages")
        speaker = _SPEAKERS.get(string(message.get("role")))
        if speaker is None:
            raise wrong(f"messages[{index}].role", "user or assistant")
        parts = blocks.read(message.get("content"), f"messages[{index}].content")
        if parts:
            turns.append(new_turn(speaker, tuple(parts)))
    return turns


def _marked(turns: list[Turn], cache: object) -> list[Turn]:
    if not turns:
        return turns
    *before, last = turns[-1].parts
    if isinstance(last, Text | Media | ToolCall | ToolResult) and last.cache is None:
        last = replace(last, cache=cache)  # type: ignore[arg-type]
    return [*turns[:-1], replace(turns[-1], parts=(*before, last))]


def _read_tools(document: Document, unread: list[str]) -> tuple[Tool, ...]:
    tools = []
    for index, tool in objects(array(document, "tools")):
        if tool.get("type") not in (
            None,
            "custom",
        ):  # what runs at Anthropic, or needs its knowledge of the tool
            unread.append(f"tools[{index}].type={tool.get('type')}")
            continue
        name = tool.get("name")
        if type(name) is not str or not name:
            raise wrong(f"tools[{index}].name", "a name")
        if not tool.keys() <= _TOOL:
            unread += [f"tools[{index}].{key}" for key, value in tool.items() if key not in _TOOL and value]
        tools.append(
            Tool(
                name=name,
                description=text(tool, "description"),
                parameters=cast("dict[str, Json]", mapping(tool.get("input_schema"))),
                strict=flag(tool, "strict"),
                cache=read_cache(tool),
            )
        )
    return tuple(tools)


def _read_choice(document: Document, unread: list[str]) -> ToolChoice | None:
    wanted = mapping(document.get("tool_choice"))
    if not wanted:
        return None
    single = flag(wanted, "disable_parallel_tool_use")
    parallel = None if single is None else not single
    kind = wanted.get("type")
    if kind == "tool":
        return ToolChoice(use=ToolUse.NAMED, name=text(wanted, "name"), parallel=parallel)
    use = _USES.get(string(kind))
    if use is None:
        unread.append(f"tool_choice.type={kind}")
        return None
    return ToolChoice(use=use, parallel=parallel)


def _read_reasoning(document: Document, unread: list[str]) -> Reasoning | None:
    effort = _read_effort(document)
    thinking = mapping(document.get("thinking"))
    summary = "" if thinking.get("display") == "omitted" else "auto"
    match thinking.get("type"):
        case None:
            return Reasoning(effort=effort) if effort is not None else None
        case "disabled":
            return Reasoning(effort=Effort.NONE)
        case "enabled":
            return Reasoning(budget_tokens=whole(thinking, "budget_tokens"), effort=effort, summary=summary)
        case "adaptive":
            return Reasoning(budget_tokens=-1, effort=effort, summary=summary)
    unread.append(f"thinking.type={thinking.get('type')}")
    return None


def _read_effort(document: Document) -> Effort | None:
    value = mapping(document.get("output_config")).get("effort")
    if value is None:
        return None
    effort = _EFFORTS.get(string(value))
    if effort is None:
        raise wrong("output_config.effort", "low, medium, high, xhigh or max")
    return effort


def _read_output(document: Document, unread: list[str]) -> OutputFormat | None:
    config = mapping(document.get("output_config"))
    unread += [f"output_config.{key}" for key in config if key not in ("effort", "format")]
    path, wanted = "output_config.format", config.get("format")
    if wanted is None:  # where it stood before
        path, wanted = "output_format", document.get("output_format")
    if wanted is None:
        return None
    match wanted:
        case {"type": "json_schema", "schema": dict(schema)}:
            return OutputFormat(kind=OutputKind.SCHEMA, schema=cast("dict[str, Json]", schema), strict=True)
        case {"type": str(kind)} if kind != "json_schema":
            unread.append(f"{path}.type={kind}")
            return None
    raise wrong(path, "a format with a schema")
