"""A Messages request, written."""

from __future__ import annotations

from collections.abc import Iterable

from agent.model.conversation import Conversation, OutputKind, Tool, ToolChoice, ToolUse
from agent.translation.anthropic_messages.blocks import write_cache
from agent.translation.anthropic_messages.thinking import Manner, manner
from agent.translation.anthropic_messages.turns import TurnWriter
from agent.translation.base import Losses, Quirks
from agent.translation.documents import write_document
from agent.translation.fitting import fitted

_USES = {ToolUse.AUTO: "auto", ToolUse.NONE: "none", ToolUse.REQUIRED: "any", ToolUse.NAMED: "tool"}
_NO_PARAMETERS = {"type": "object", "properties": {}}


def write_request(conversation: Conversation, losses: Losses, quirks: Quirks) -> bytes:
    """The body. What the format cannot say goes to `losses`."""
    conversation = fitted(conversation, quirks, losses)
    how = manner(conversation, losses, quirks)
    turns = TurnWriter(losses)
    turns.write(conversation.turns)
    body: dict[str, object] = {"model": conversation.model, "max_tokens": how.max_tokens}
    if turns.system:
        plain = len(turns.system) == 1 and len(turns.system[0]) == 2
        body["system"] = turns.system[0]["text"] if plain else turns.system
    body["messages"] = turns.messages
    _write_tools(body, conversation, turns.called)
    _write_manner(body, conversation, how, losses)
    if conversation.user:
        body["metadata"] = {"user_id": conversation.user}
    if conversation.stream:
        body["stream"] = True
    return write_document(body)


def _write_tools(body: dict[str, object], conversation: Conversation, called: Iterable[str]) -> None:
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
        if conversation.tool_choice is not None:
            body["tool_choice"] = _write_choice(conversation.tool_choice)
    elif called:
        # calls of tools that are no longer offered: the API wants every called tool defined
        body["tools"] = [{"name": name, "input_schema": _NO_PARAMETERS} for name in called]
        body["tool_choice"] = {"type": "none"}


def _write_tool(tool: Tool) -> dict[str, object]:
    written: dict[str, object] = {"name": tool.name}
    if tool.description:
        written["description"] = tool.description
    written["input_schema"] = tool.parameters or _NO_PARAMETERS
    if tool.strict:
        written["strict"] = True
    if tool.cache is not None:
        written["cache_control"] = write_cache(tool.cache)
    return written


def _write_choice(choice: ToolChoice) -> dict[str, object]:
    written: dict[str, object] = {"type": _USES[choice.use]}
    if choice.use is ToolUse.NAMED:
        written["name"] = choice.name
    if choice.parallel is not None and choice.use is not ToolUse.NONE:
        written["disable_parallel_tool_use"] = not choice.parallel
    return written


def _write_manner(body: dict[str, object], conversation: Conversation, how: Manner, losses: Losses) -> None:
    sampling = how.sampling
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    body |= {name: value for name, value in drawn.items() if value is not None}
    stop = [sequence for sequence in sampling.stop if sequence.strip()]
    if len(stop) < len(sampling.stop):  # the API refuses sequences of white space
        losses.lose("sampling.stop")
    if stop:
        body["stop_sequences"] = stop
    if how.thinking is not None:
        body["thinking"] = how.thinking
    config: dict[str, object] = {"effort": how.effort} if how.effort else {}
    output = conversation.output
    if output is not None and output.kind is OutputKind.SCHEMA:
        config["format"] = {"type": "json_schema", "schema": output.schema}
    elif output is not None and output.kind is OutputKind.JSON:
        losses.lose("output")  # the API follows a schema, or none
    if config:
        body["output_config"] = config
