"""What a conversation, an answer and its losses mean, apart from the way in which a format happens to say it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from agent.model.conversation import (
    Conversation,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    Reply,
    Sampling,
    Speaker,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.base import Translator

type Said = tuple[object, ...]

_ANYTHING = {"type": "object", "properties": {}}


def path_for(translator: Translator, model: str, *, stream: bool = False) -> tuple[str, str]:
    """The path and query under which a client sends a request of this format."""
    match translator.name:
        case "gemini-generate-content":
            method = "streamGenerateContent" if stream else "generateContent"
            return f"/v1beta/models/{model}:{method}", "alt=sse" if stream else ""
        case "bedrock-converse":
            return f"/model/{model}/{'converse-stream' if stream else 'converse'}", ""
        case _:
            return "/", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What must arrive of a request."""

    system: str
    turns: tuple[tuple[Speaker, tuple[Said, ...]], ...]
    tools: tuple[object, ...]
    choice: ToolChoice | None
    sampling: Sampling
    output: object
    stream: bool


def meaning(conversation: Conversation) -> Meaning:
    """Texts that follow one another are one, results come before words, the system speaks first. A tool that is named
    where it is the only one is required, no schema is any object. Thoughts are another matter (see `test_thoughts`);
    hints, names of documents and users, and the wish for strictness are none."""
    tools, choice = conversation.tools, conversation.tool_choice
    if not tools or (choice is not None and choice.use is ToolUse.NONE):
        tools, choice = (), None
    if choice is not None and choice.parallel is not False:
        choice = replace(choice, parallel=None)
    if choice is not None and choice.use is ToolUse.NAMED and len(tools) == 1:
        choice = ToolChoice(use=ToolUse.REQUIRED, parallel=choice.parallel)
    if choice == ToolChoice():
        choice = None
    system = [
        part.text
        for turn in conversation.turns
        if turn.speaker is Speaker.SYSTEM
        for part in turn.parts
        if isinstance(part, Text)
    ]
    return Meaning(
        system="\n".join(text for text in system if text.strip()).replace("\n", ""),
        turns=_turns(conversation),
        tools=tuple((tool.name, tool.description, tool.parameters or _ANYTHING) for tool in tools),
        choice=choice,
        sampling=_sampling(conversation.sampling),
        output=_output(conversation.output),
        stream=conversation.stream,
    )


def _sampling(sampling: Sampling) -> Sampling:
    """A temperature of 1 asks for nothing."""
    return replace(sampling, temperature=None) if sampling.temperature == 1 else sampling


def _output(output: OutputFormat | None) -> object:
    if output is None or output.kind is OutputKind.TEXT:
        return None
    return output.kind, output.schema


def _turns(conversation: Conversation) -> tuple[tuple[Speaker, tuple[Said, ...]], ...]:
    joined: list[tuple[Speaker, list[Part]]] = []
    for turn in conversation.turns:
        if turn.speaker is Speaker.SYSTEM or not said(list(turn.parts)):
            continue
        if joined and joined[-1][0] is turn.speaker:
            joined[-1][1].extend(turn.parts)
        else:
            joined.append((turn.speaker, list(turn.parts)))
    ids: dict[str, int] = {}
    told = [(speaker, said(parts, ids)) for speaker, parts in joined]
    if (
        told and told[-1][0] is Speaker.ASSISTANT
    ):  # what the model is to go on from ends in no white space (Anthropic)
        told[-1] = (Speaker.ASSISTANT, tuple(map(_without_end, told[-1][1])))
    return tuple((speaker, parts) for speaker, parts in told if parts)


def _without_end(said: Said) -> Said:
    return ("text", str(said[1]).rstrip()) if said[0] == "text" else said


def said(parts: list[Part], ids: dict[str, int] | None = None) -> tuple[Said, ...]:
    """Results, then words and media, then calls. With `ids`, a call's id is its place among them: what it is called
    matters only in an answer."""

    def known(call_id: str) -> object:
        return call_id if ids is None else ids.setdefault(call_id, len(ids))

    results: list[Said] = []
    words: list[Said] = []
    calls: list[Said] = []
    for part in parts:
        match part:
            case ToolResult():
                results.append(("result", known(part.call_id), "".join(text_of(each) for each in part.parts)))
            case ToolCall():
                calls.append(("call", known(part.id), part.name, orjson.loads(part.arguments)))
            case Media():
                words.append(("media", part.kind, part.data or part.url or part.file_id))
            case Text() if words and words[-1][0] == "text":
                words[-1] = ("text", f"{words[-1][1]}{part.text}")
            case Text() if part.text:
                words.append(("text", part.text))
    return (*results, *words, *calls)


def text_of(part: Part) -> str:
    return part.text if isinstance(part, Text) else ""


def without(conversation: Conversation, lost: tuple[str, ...]) -> Conversation:
    """The conversation without what a writer said it would leave out. Fails on a name that is not of the hub."""
    sampling, choice = conversation.sampling, conversation.tool_choice
    turns = [list(turn.parts) for turn in conversation.turns]
    gone: set[tuple[int, int]] = set()
    others: dict[str, object] = {}
    for name in lost:
        match name.replace("]", "").replace("[", ".").split("."):
            case ["sampling", field]:
                sampling = replace(sampling, **{field: () if field == "stop" else None})
            case ["tool_choice"]:
                choice = None
            case ["tool_choice", "name"]:
                choice = ToolChoice(use=ToolUse.REQUIRED, parallel=choice.parallel if choice else None)
            case ["tool_choice", "parallel"]:
                choice = replace(choice, parallel=None) if choice else None
            case ["turns", turn, "parts", part]:
                gone.add((int(turn), int(part)))
            case ["output" | "reasoning" as field]:
                others[field] = None
            case _:
                raise AssertionError(f"{name} is no name of the hub")
    kept = tuple(
        Turn(
            speaker=turn.speaker,
            parts=tuple(part for place, part in enumerate(parts) if (number, place) not in gone),
        )
        for number, (turn, parts) in enumerate(zip(conversation.turns, turns, strict=True))
    )
    return replace(
        conversation,
        turns=kept,
        tool_choice=choice,
        sampling=sampling,
        **others,  # type: ignore[arg-type]
    )


def captioned(conversation: Conversation) -> Conversation:
    """The conversation with words beside every document: alone, some formats do not take one."""
    turns = []
    for turn in conversation.turns:
        documents = any(isinstance(part, Media) and part.kind is MediaKind.DOCUMENT for part in turn.parts)
        turns.append(replace(turn, parts=(*turn.parts, Text(text="Look."))) if documents else turn)
    return replace(conversation, turns=tuple(turns))


def answered(reply: Reply) -> object:
    """What must arrive of an answer, whoever reads it. Calls that a model makes at the same time have no order."""
    choice = reply.choices[0]
    words = [part for part in choice.parts if not isinstance(part, ToolCall)]
    calls = sorted((part for part in choice.parts if isinstance(part, ToolCall)), key=lambda call: call.id)
    return said([*words, *calls]), choice.finish, reply.usage.input, reply.usage.output
