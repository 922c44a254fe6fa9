"""What is kept of an answer, and how it is written down. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from agent.model.conversation import (
    Choice,
    Finish,
    Media,
    MediaKind,
    Reply,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
)

_VERSION = 1
_KINDS: dict[str, type[Text | Media | Thinking | ToolCall]] = {
    "text": Text,
    "media": Media,
    "thinking": Thinking,
    "call": ToolCall,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How an answer goes over the wire: in which dialect, and whether as a stream."""

    dialect: str
    streamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer that is kept. `body` is what the first client got, byte for byte; who wants another form is served
    from `reply`, which is None where the answer could not be read into one."""

    form: Form
    body: bytes = field(repr=False)
    content_type: str
    reply: Reply | None = field(default=None, repr=False)
    prompt: str = field(default="", repr=False)  # what was asked, where it may be compared by meaning
    rulebook: str = ""  # digest of the rules that inspected it
    model: str = ""  # as the provider was asked for it
    provider: str = ""
    stored_at: float = 0.0  # Unix seconds


def written(entry: Entry) -> bytes:
    """`entry` as bytes: a line of JSON, then the body."""
    facts = {
        "v": _VERSION,
        "dialect": entry.form.dialect,
        "streamed": entry.form.streamed,
        "type": entry.content_type,
        "reply": None if entry.reply is None else _reply_facts(entry.reply),
        "prompt": entry.prompt,
        "rulebook": entry.rulebook,
        "model": entry.model,
        "provider": entry.provider,
        "at": entry.stored_at,
    }
    return orjson.dumps(facts) + b"\n" + entry.body


def read(data: bytes) -> Entry | None:
    """The entry in `data`; None where another version of Drawbridge wrote it."""
    line, _, body = data.partition(b"\n")
    try:
        facts = orjson.loads(line)
        if facts["v"] != _VERSION:
            return None
        return Entry(
            form=Form(dialect=facts["dialect"], streamed=facts["streamed"]),
            body=body,
            content_type=facts["type"],
            reply=None if facts["reply"] is None else _reply(facts["reply"]),
            prompt=facts["prompt"],
            rulebook=facts["rulebook"],
            model=facts["model"],
            provider=facts["provider"],
            stored_at=facts["at"],
        )
    except (ValueError, KeyError, TypeError):
        return None


def _reply_facts(reply: Reply) -> dict[str, object]:
    return {
        "id": reply.id,
        "model": reply.model,
        "created": reply.created,
        "usage": asdict(reply.usage),
        "choices": [_choice_facts(choice) for choice in reply.choices],
    }


def _choice_facts(choice: Choice) -> dict[str, object]:
    return {
        "finish": choice.finish.value,
        "stop_sequence": choice.stop_sequence,
        "logprobs": choice.logprobs,
        "parts": [[_NAMES[type(part)], _part_facts(part)] for part in choice.parts],
    }


def _part_facts(part: Text | Media | Thinking | ToolCall) -> dict[str, object]:
    """What is not empty. Marks for a provider's own cache are of requests only."""
    return {
        name: value
        for name in part.__slots__
        if name != "cache" and (value := getattr(part, name)) not in ("", None, False)
    }


def _reply(facts: dict[str, Any]) -> Reply:
    return Reply(
        id=facts["id"],
        model=facts["model"],
        created=facts["created"],
        usage=TokenCount(**facts["usage"]),
        choices=tuple(_choice(each) for each in facts["choices"]),
    )


def _choice(facts: dict[str, Any]) -> Choice:
    return Choice(
        finish=Finish(facts["finish"]),
        stop_sequence=facts["stop_sequence"],
        parts=tuple(_part(kind, each) for kind, each in facts["parts"]),
        logprobs=tuple(
            TokenLogprob(
                token=each["token"],
                logprob=each["logprob"],
                top=tuple((token, logprob) for token, logprob in each["top"]),
            )
            for each in facts["logprobs"]
        ),
    )


def _part(kind: str, facts: dict[str, Any]) -> Text | Media | Thinking | ToolCall:
    if kind == "media":
        return Media(**{**facts, "kind": MediaKind(facts["kind"])})
    defaults = {"text": ""} if kind == "text" else {"id": "", "name": ""} if kind == "call" else {}
    return _KINDS[kind](**{**defaults, **facts})
