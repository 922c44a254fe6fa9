"""Writes a Converse request. Source: the service model `bedrock-runtime` 2023-09-30, shape ConverseRequest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import orjson

from agent.model.conversation import Conversation, OutputFormat, OutputKind, Sampling, ToolUse
from agent.translation.base import Losses, Quirks, WireRequest
from agent.translation.bedrock_converse.families import Family, family_of, put
from agent.translation.bedrock_converse.messages import Block, MessageWriter, is_name
from agent.translation.bedrock_converse.thinking import Thinker
from agent.translation.documents import write_document
from agent.translation.fitting import asks, fitted, without

_USER_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 :_@$#=/+,-.")
_LONGEST_USER = 256
_HOTTEST = 1.0
_NOWHERE = ("seed", "frequency_penalty", "presence_penalty", "choices", "logprobs", "top_logprobs")
_ANY_OBJECT = {"type": "object", "properties": {}}


def write_request(conversation: Conversation, losses: Losses, quirks: Quirks) -> WireRequest:
    """The request; the model stands in its path. Tells `losses` what it leaves out."""
    body = _RequestWriter(fitted(conversation, quirks, losses), losses, quirks).body()
    operation = "chat_stream" if conversation.stream else "chat"
    return WireRequest(body=write_document(body), operation=operation)


@dataclass(slots=True)
class _RequestWriter:
    """Puts one request together."""

    conversation: Conversation
    losses: Losses
    quirks: Quirks
    own: Block = field(default_factory=dict)  # the family's fields
    output: Block = field(default_factory=dict)

    def body(self) -> Block:
        conversation = self.conversation
        family = family_of(conversation.model, self.quirks.family)
        messages = MessageWriter(self.losses, hints="cache" not in self.quirks.unsupported)
        body: Block = {"messages": messages.write(conversation.turns)}
        if messages.system:
            body["system"] = messages.system
        tools = self._tools(messages, family)
        config = self._sampling(conversation.sampling, family)
        thinker = Thinker(conversation=conversation, losses=self.losses, config=config, own=self.own)
        thinks = thinker.write(conversation.reasoning, family.thought, self.output)
        self._top_k(family, thinks=thinks)
        self._format(conversation.output)
        for name, value in (
            ("inferenceConfig", config),
            ("toolConfig", tools),
            ("outputConfig", self.output),
            ("additionalModelRequestFields", self.own),
            ("requestMetadata", self._metadata()),
        ):
            if value:
                body[name] = value
        return body

    def _sampling(self, sampling: Sampling, family: Family) -> Block:
        sampling = self._drawn(without(sampling, _NOWHERE, self.losses), family)
        config: Block = {
            "maxTokens": sampling.max_tokens or self.quirks.default_max_tokens or None,
            "temperature": sampling.temperature,
            "topP": sampling.top_p,
            "stopSequences": list(sampling.stop) or None,
        }
        return {name: value for name, value in config.items() if value is not None}

    def _drawn(self, sampling: Sampling, family: Family) -> Sampling:
        """What of temperature and `top_p` the model takes; where only one, the one that asks for something."""
        if family.draws == 0:
            return without(sampling, ("temperature", "top_p"), self.losses)
        if sampling.temperature is not None and sampling.temperature > _HOTTEST:  # OpenAI's goes to 2
            self.losses.lose("sampling.temperature")
            sampling = replace(sampling, temperature=_HOTTEST)
        if family.draws == 1 and sampling.temperature is not None and sampling.top_p is not None:
            given = "top_p" if asks(sampling, "temperature") else "temperature"
            return without(sampling, (given,), self.losses)
        return sampling

    def _top_k(self, family: Family, *, thinks: bool) -> None:
        top_k = self.conversation.sampling.top_k
        if top_k is None:
            return
        if family.top_k and not thinks:
            put(self.own, family.top_k, top_k)
        else:
            self.losses.lose("sampling.top_k")

    def _tools(self, messages: MessageWriter, family: Family) -> Block:
        choice = self.conversation.tool_choice
        use = ToolUse.AUTO if choice is None else choice.use
        if use is ToolUse.NONE:
            if not messages.called:
                return {}  # who sees no tools calls none
            self.losses.lose("tool_choice")
        tools = self._specs(messages)
        if not tools:
            return {}
        written: Block = {"tools": tools}
        match use:
            case ToolUse.REQUIRED:
                written["toolChoice"] = {"any": {}}
            case ToolUse.NAMED if choice is not None and not is_name(choice.name):
                self.losses.lose("tool_choice")
            case ToolUse.NAMED if choice is not None:
                written["toolChoice"] = {"tool": {"name": choice.name}}
            case ToolUse.AUTO if choice is not None:
                written["toolChoice"] = {"auto": {}}
        if choice is not None and choice.parallel is False:
            if family.one_call:
                put(self.own, family.one_call, True)  # noqa: FBT003
            else:
                self.losses.lose("tool_choice.parallel")
        return written

    def _specs(self, messages: MessageWriter) -> list[Block]:
        """The tools. A history with calls in it is refused where none are defined: then those that it names."""
        written: list[Block] = []
        for index, tool in enumerate(self.conversation.tools):
            if not is_name(tool.name):  # under another, the client would not know the model's call
                self.losses.lose(f"tools[{index}].name")
                continue
            spec: Block = {"name": tool.name, "inputSchema": {"json": tool.parameters or _ANY_OBJECT}}
            if tool.description.strip():
                spec["description"] = tool.description
            if tool.strict:
                spec["strict"] = True
            written += [{"toolSpec": spec}, *messages.point(tool.cache)]
        if not written:
            written = [
                {"toolSpec": {"name": name, "inputSchema": {"json": _ANY_OBJECT}}} for name in messages.called
            ]
        return written

    def _format(self, output: OutputFormat | None) -> None:
        if output is None or output.kind is OutputKind.TEXT:
            return
        if output.kind is OutputKind.JSON:
            self.losses.lose("output")
            return
        wanted: Block = {"schema": orjson.dumps(output.schema).decode()}
        if output.name:
            wanted["name"] = output.name
        if output.description:
            wanted["description"] = output.description
        self.output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": wanted}}

    def _metadata(self) -> Block:
        """Who asks, where its name can stand here; else it is left out without a word, for it changes no answer."""
        user = self.conversation.user
        fits = 0 < len(user) <= _LONGEST_USER and _USER_SIGNS.issuperset(user)
        return {"user": user} if fits else {}
