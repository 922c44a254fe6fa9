"""Reads a Converse request. Source: the service model `bedrock-runtime` 2023-09-30, shape ConverseRequest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast
from urllib.parse import unquote

from agent.dialects.jsontext import parse
from agent.dialects.shapes import mapping, string
from agent.errors import ContentError
from agent.model.conversation import (
    CacheHint,
    Conversation,
    Json,
    OutputFormat,
    OutputKind,
    Reasoning,
    Sampling,
    Speaker,
    Tool,
    ToolChoice,
    ToolUse,
    Turn,
)
from agent.translation import fields
from agent.translation.bedrock_converse.blocks import BlockReader
from agent.translation.bedrock_converse.families import OwnFields, effort, read_own_fields
from agent.translation.documents import read_document
from agent.translation.fields import Document
from agent.translation.unread import Unread

_STREAM = "/converse-stream"
_SPEAKERS = {each.value: each for each in Speaker}
_FIELDS = frozenset(
    (
        "additionalModelRequestFields",
        "inferenceConfig",
        "messages",
        "modelId",
        "outputConfig",
        "requestMetadata",
        "system",
        "toolConfig",
    )
)


def read_request(path: str, body: bytes) -> Conversation:
    """The conversation in `body`; model and streaming are in the path. Raises ContentError."""
    document = read_document(body)
    reader = BlockReader()
    unread = reader.unread
    unread.others("", document, _FIELDS)
    own = read_own_fields(fields.nested(document, "additionalModelRequestFields"), unread)
    tools = fields.nested(document, "toolConfig")
    unread.others("toolConfig", tools, ("tools", "toolChoice"))
    metadata = fields.nested(document, "requestMetadata")
    unread.others("requestMetadata", metadata, ("user",))
    output = fields.nested(document, "outputConfig")
    unread.others("outputConfig", output, ("textFormat", "effort"))
    model, stream = _model_and_stream(path)
    return Conversation(
        model=model or string(document.get("modelId")),
        turns=_turns(document, reader),
        tools=_tools(fields.array(tools, "tools"), unread),
        tool_choice=_tool_choice(fields.nested(tools, "toolChoice"), own, unread),
        sampling=_sampling(fields.nested(document, "inferenceConfig"), own, unread),
        reasoning=_reasoning(own.reasoning, output, unread),
        output=_output(mapping(output.get("textFormat")), unread),
        stream=stream,
        user=string(metadata.get("user")),
        unread=tuple(unread.paths),
    )


def _model_and_stream(path: str) -> tuple[str, bool]:
    """Of `/model/{model}/converse` and `/model/{model}/converse-stream`; a model's ARN may hold slashes."""
    model = path.partition("/model/")[2].rpartition("/")[0]
    return unquote(model), path.endswith(_STREAM)


def _turns(document: Document, reader: BlockReader) -> tuple[Turn, ...]:
    turns = []
    if system := document.get("system"):
        turns.append(Turn(speaker=Speaker.SYSTEM, parts=reader.read("system", system)))
    messages = fields.array(document, "messages")
    for index in range(len(messages)):
        at = f"messages[{index}]"
        said = fields.entry(messages, index, "messages")
        speaker = _SPEAKERS.get(string(said.get("role")))
        if speaker is None:
            raise fields.wrong(f"{at}.role", "user, assistant or system")
        reader.unread.others(at, said, ("role", "content"))
        turns.append(Turn(speaker=speaker, parts=reader.read(f"{at}.content", said.get("content"))))
    return tuple(turns)


def _tools(value: list[object], unread: Unread) -> tuple[Tool, ...]:
    tools: list[Tool] = []
    for index in range(len(value)):
        at = f"toolConfig.tools[{index}]"
        match tool := fields.entry(value, index, "toolConfig.tools"):
            case {"toolSpec": dict() as spec}:
                unread.others(at, tool, ("toolSpec",))
                unread.others(f"{at}.toolSpec", spec, ("name", "description", "inputSchema", "strict"))
                unread.others(f"{at}.toolSpec.inputSchema", mapping(spec.get("inputSchema")), ("json",))
                strict = spec.get("strict")
                tools.append(
                    Tool(
                        name=string(spec.get("name")),
                        description=string(spec.get("description")),
                        parameters=_schema(mapping(spec.get("inputSchema")).get("json")),
                        strict=strict if isinstance(strict, bool) else None,
                    )
                )
            case {"cachePoint": dict() as point} if tools:
                unread.others(at, tool, ("cachePoint",))
                unread.others(f"{at}.cachePoint", point, ("type", "ttl"))
                tools[-1] = replace(tools[-1], cache=CacheHint(ttl=string(point.get("ttl"))))
            case _:  # a system tool, or none
                unread.note(f"{at}.{next(iter(tool), '')}")
    return tuple(tools)


def _schema(value: object) -> Mapping[str, Json]:
    return cast("dict[str, Json]", mapping(value))


def _tool_choice(choice: Document, own: OwnFields, unread: Unread) -> ToolChoice | None:
    unread.others("toolConfig.toolChoice", choice, ("auto", "any", "tool"))
    for kind in ("auto", "any", "tool"):
        known = ("name",) if kind == "tool" else ()
        unread.others(f"toolConfig.toolChoice.{kind}", mapping(choice.get(kind)), known)
    if "any" in choice:
        return ToolChoice(use=ToolUse.REQUIRED, parallel=own.parallel)
    if "tool" in choice:
        name = string(mapping(choice["tool"]).get("name"))
        return ToolChoice(use=ToolUse.NAMED, name=name, parallel=own.parallel)
    if "auto" in choice or own.parallel is not None:
        return ToolChoice(parallel=own.parallel)
    return None


def _sampling(config: Document, own: OwnFields, unread: Unread) -> Sampling:
    unread.others("inferenceConfig", config, ("maxTokens", "temperature", "topP", "stopSequences"))
    return Sampling(
        max_tokens=fields.whole(config, "maxTokens"),
        temperature=fields.number(config, "temperature"),
        top_p=fields.number(config, "topP"),
        top_k=own.top_k,
        stop=fields.texts(config, "stopSequences"),
    )


def _reasoning(own: Reasoning | None, output: Document, unread: Unread) -> Reasoning | None:
    """Claude's adaptive thinking is bounded by an effort, which stands elsewhere."""
    if output.get("effort") is None:
        return own
    spoken = effort(output.get("effort"))
    if spoken is None:
        unread.note("outputConfig.effort")
        return own
    if own is None or own.budget_tokens == -1:
        return Reasoning(effort=spoken)
    return replace(own, effort=spoken)


def _output(form: Document, unread: Unread) -> OutputFormat | None:
    if not form:
        return None
    unread.others("outputConfig.textFormat", form, ("type", "structure"))
    structure = mapping(form.get("structure"))
    unread.others("outputConfig.textFormat.structure", structure, ("jsonSchema",))
    wanted = mapping(structure.get("jsonSchema"))
    if form.get("type") != "json_schema" or not wanted:
        unread.note("outputConfig.textFormat")
        return None
    unread.others("outputConfig.textFormat.structure.jsonSchema", wanted, ("schema", "name", "description"))
    return OutputFormat(
        kind=OutputKind.SCHEMA,
        name=string(wanted.get("name")),
        description=string(wanted.get("description")),
        schema=_schema(_parsed(fields.text(wanted, "schema"))),
        strict=True,
    )


def _parsed(schema: str) -> object:
    try:
        return parse(schema)
    except ContentError as error:
        raise ContentError(f"outputConfig.textFormat: its schema is {error}", hint=error.hint()) from None
