"""Writes the prediction that answers a conversation.

A prompt is one text. Where the conversation has several turns, they stand in it one below the other, each behind
`User:` or `Assistant:`, and `Assistant:` is its last line; one turn of the user stands alone. Tools, structured output,
likelihoods and files are none of what predictions know.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.model.conversation import (
    Conversation,
    Media,
    MediaKind,
    OutputKind,
    Sampling,
    Speaker,
    Text,
    Thinking,
    Turn,
)
from agent.translation.base import Losses, Quirks, WireRequest
from agent.translation.documents import write_document
from agent.translation.fitting import asks, fitted
from agent.translation.media import data_url, text_in
from agent.translation.reasoning import effort_wanted
from agent.translation.replicate_predictions.families import Family, family_of

type _Input = dict[str, object]

_NAMES = {Speaker.USER: "User", Speaker.ASSISTANT: "Assistant"}
_NEVER = ("choices", "logprobs", "top_logprobs")
_SAMPLED = ("temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty")


def write_request(conversation: Conversation, losses: Losses, quirks: Quirks) -> WireRequest:
    """The request. Tells `losses` what it leaves out. A model is named in the path, with a version in the body."""
    conversation = fitted(conversation, quirks, losses)
    family = family_of(conversation.model)
    given = _prompt(conversation.turns, family, losses)
    given |= _sampling(conversation.sampling, family, losses)
    limit = conversation.sampling.max_tokens or quirks.default_max_tokens
    if limit:
        given[family.limit] = limit
    effort = None if conversation.reasoning is None else effort_wanted(conversation.reasoning)
    if effort is not None:
        if family.effort:
            given[family.effort] = effort.value
        else:
            losses.lose("reasoning")
    if conversation.tools:
        losses.lose("tools")
    if conversation.output is not None and conversation.output.kind is not OutputKind.TEXT:
        losses.lose("output")
    body: _Input = {"input": given}
    if ":" in conversation.model:
        body["version"] = conversation.model
    if conversation.stream:
        body["stream"] = True
    return WireRequest(body=write_document(body))


def _prompt(turns: Sequence[Turn], family: Family, losses: Losses) -> _Input:
    images: list[str] = []
    said: list[tuple[Speaker, str]] = []
    for index, turn in enumerate(turns):
        text = _text(f"turns[{index}]", turn, family, images, losses)
        if text:
            said.append((turn.speaker, text))
    system = "\n\n".join(text for speaker, text in said if speaker is Speaker.SYSTEM)
    talk = [(speaker, text) for speaker, text in said if speaker is not Speaker.SYSTEM]
    prompt = _transcript(talk)
    given: _Input = {}
    if system and family.system:
        given[family.system] = system
    elif system:
        prompt = f"{system}\n\n{prompt}"
    given["prompt"] = prompt
    if images:
        given[family.images] = images if family.many_images else images[0]
    return given


def _transcript(talk: Sequence[tuple[Speaker, str]]) -> str:
    match talk:
        case []:
            return ""
        case [(Speaker.USER, text)]:
            return text
        case _:
            lines = [f"{_NAMES[speaker]}: {text}" for speaker, text in talk]
            if (
                talk[-1][0] is not Speaker.ASSISTANT
            ):  # else the model goes on with what it is said to have begun
                lines.append("Assistant:")
            return "\n\n".join(lines)


def _text(at: str, turn: Turn, family: Family, images: list[str], losses: Losses) -> str:
    """What a turn says; its pictures go to `images`."""
    words: list[str] = []
    for index, part in enumerate(turn.parts):
        match part:
            case Text():
                words.append(part.text)
            case Thinking():
                pass  # a thought of another model's
            case Media(kind=MediaKind.IMAGE) if (
                family.images
                and not part.file_id
                and turn.speaker is Speaker.USER
                and (family.many_images or not images)
            ):
                images.append(part.url or data_url(part))
            case Media(kind=MediaKind.DOCUMENT) if (document := text_in(part)) is not None:
                words.append(document)
            case _:
                losses.lose(f"{at}.parts[{index}]")
    return "\n\n".join(word for word in words if word)


def _sampling(sampling: Sampling, family: Family, losses: Losses) -> _Input:
    given: _Input = {}
    for name in _NEVER:
        if asks(sampling, name):
            losses.lose(f"sampling.{name}")
    for name in _SAMPLED:
        if (value := getattr(sampling, name)) is None:
            continue
        if known := family.sampling.get(name):
            given[known] = value
        elif asks(sampling, name):
            losses.lose(f"sampling.{name}")
    if sampling.stop:
        if family.stop and not any("," in text for text in sampling.stop):
            given[family.stop] = ",".join(sampling.stop)
        else:
            losses.lose("sampling.stop")
    return given
