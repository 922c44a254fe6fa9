"""The parts of contents and candidates that requests, answers and streams share: their shapes, both ways."""

from __future__ import annotations

import orjson

from agent.dialects.shapes import integer, mapping, objects, string
from agent.model.conversation import (
    Finish,
    Json,
    Media,
    MediaKind,
    Part,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
)
from agent.translation import seals
from agent.translation.documents import write_document
from agent.translation.gemini_generate.names import camel
from agent.translation.media import unbroken
from agent.translation.seals import Seal

type Fields = dict[str, object]

FILES = "https://generativelanguage.googleapis.com/"  # where uploaded files live; nobody else can fetch them

_OWN = "gemini:"  # no base64 has a colon
_FINISHES = {
    "STOP": Finish.STOP,
    "FINISH_REASON_UNSPECIFIED": Finish.STOP,
    "MAX_TOKENS": Finish.LENGTH,
    "CONTINUATION": Finish.PAUSED,
    "SAFETY": Finish.FILTERED,
    "RECITATION": Finish.FILTERED,
    "LANGUAGE": Finish.FILTERED,
    "BLOCKLIST": Finish.FILTERED,
    "PROHIBITED_CONTENT": Finish.FILTERED,
    "SPII": Finish.FILTERED,
    "IMAGE_SAFETY": Finish.FILTERED,
    "IMAGE_PROHIBITED_CONTENT": Finish.FILTERED,
    "IMAGE_RECITATION": Finish.FILTERED,
    "MODEL_ARMOR": Finish.FILTERED,
}
_REASONS = {
    Finish.LENGTH: "MAX_TOKENS",
    Finish.PAUSED: "MAX_TOKENS",  # clients know no pause; they may go on as after a limit
    Finish.FILTERED: "SAFETY",
    Finish.FAILED: "OTHER",
}
_KINDS = {"image": MediaKind.IMAGE, "audio": MediaKind.AUDIO, "video": MediaKind.VIDEO}


def read_finish(reason: str, *, calls: bool) -> Finish:
    """Why a candidate ended. Every reason that is not known as a stop, a limit or a filter is a failure: broken tool
    calls are many (`MALFORMED_FUNCTION_CALL`, `UNEXPECTED_TOOL_CALL`, …) and must never look like a plain stop."""
    finish = _FINISHES.get(reason, Finish.FAILED) if reason else Finish.STOP
    return Finish.TOOL_CALLS if calls and finish is Finish.STOP else finish


def finish_of(finish: Finish, *, broken: bool = False) -> str:
    """The candidate's reason. `broken`: a tool call of it could not be written."""
    reason = _REASONS.get(finish, "STOP")
    return "MALFORMED_FUNCTION_CALL" if broken and reason == "STOP" else reason


def media_kind(media_type: str) -> MediaKind:
    """The kind of a file by its media type."""
    return _KINDS.get(media_type.partition("/")[0], MediaKind.DOCUMENT)


def read_media(part: Fields) -> Media | None:
    """A part with `inlineData` or `fileData`; None where it is another part."""
    if isinstance(blob := part.get("inlineData"), dict):
        blob = camel(blob)
        media_type = string(blob.get("mimeType"))
        return Media(
            kind=media_kind(media_type),
            media_type=media_type,
            data=_ordinary(string(blob.get("data"))),
            name=string(blob.get("displayName")),
        )
    if isinstance(file := part.get("fileData"), dict):
        file = camel(file)
        uri = string(file.get("fileUri"))
        media_type = string(file.get("mimeType"))
        uploaded = uri.startswith((FILES, "files/"))
        return Media(
            kind=media_kind(media_type) if media_type else _kind_of_uri(uri),
            media_type=media_type,
            url="" if uploaded else uri,
            file_id=uri if uploaded else "",
            name=string(file.get("displayName")),
        )
    return None


def _ordinary(data: str) -> str:
    """Base64 in the ordinary alphabet and padded (RFC 4648 section 4): protobuf JSON takes the other one, too, and the
    official SDK writes it."""
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    data = unbroken(data)
    return data + "=" * (-len(data) % 4)


def _kind_of_uri(uri: str) -> MediaKind:
    return MediaKind.VIDEO if "youtube.com/" in uri or "youtu.be/" in uri else MediaKind.DOCUMENT


def read_thought(text: str, signature: str) -> Thinking:
    """A part with `thought`. The hub gets the signature with this format's name before it: other providers sign
    thoughts, too, and a conversation may change providers, each of which refuses what it did not sign."""
    if seal := seals.read64(signature):
        return Thinking(text=text, signature=seal.signature, sealed=seal.sealed, id=seal.id)
    return Thinking(text=text, signature=_OWN + signature if signature else "")


def is_own(part: Thinking) -> bool:
    """Whether this provider signed the thought."""
    return part.signature.startswith(_OWN)


def read_call_signature(signature: str) -> str:
    """The signature of a call."""
    seal = seals.read64(signature)
    return seal.signature if seal else signature


def arguments_of(call: Fields) -> str:
    """The JSON text of a call's arguments. Raises ContentError where they nest too deep to be written."""
    arguments = call.get("args")
    return write_document(arguments).decode() if isinstance(arguments, dict) else "{}"


def read_usage(value: object) -> TokenCount | None:
    """The counts, normalised: what tools brought in is input, what was thought is output. None where there are none."""
    if not isinstance(value, dict):
        return None
    value = camel(value)
    thoughts = integer(value.get("thoughtsTokenCount"))
    return TokenCount(
        input=_sum(integer(value.get("promptTokenCount")), integer(value.get("toolUsePromptTokenCount"))),
        output=_sum(integer(value.get("candidatesTokenCount")), thoughts),
        cache_read=integer(value.get("cachedContentTokenCount")),
        reasoning=thoughts,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


def usage_of(usage: TokenCount) -> Fields | None:
    """The counts as the format has them; None where the provider gave none."""
    if usage.input is None and usage.output is None:
        return None
    written: Fields = {"promptTokenCount": usage.input or 0}
    if usage.output is not None:
        written["candidatesTokenCount"] = max(usage.output - (usage.reasoning or 0), 0)
    if usage.reasoning is not None:
        written["thoughtsTokenCount"] = usage.reasoning
    if usage.cache_read is not None:
        written["cachedContentTokenCount"] = usage.cache_read
    written["totalTokenCount"] = (usage.input or 0) + (usage.output or 0)
    return written


def read_logprobs(value: object) -> tuple[TokenLogprob, ...]:
    """`logprobsResult`: the chosen tokens, and in step with them the likeliest ones."""
    if not isinstance(value, dict):
        return ()
    value = camel(value)
    tops = [mapping(one).get("candidates") for _, one in objects(value.get("topCandidates"))]
    return tuple(
        TokenLogprob(
            token=token,
            logprob=logprob,
            top=tuple(_token(other) for _, other in objects(tops[index])) if index < len(tops) else (),
        )
        for index, (token, logprob) in enumerate(
            _token(one) for _, one in objects(value.get("chosenCandidates"))
        )
    )


def _token(value: Fields) -> tuple[str, float]:
    value = camel(value)
    logprob = value.get("logProbability")
    return string(value.get("token")), float(logprob) if isinstance(logprob, (int, float)) else 0.0


def logprobs_of(logprobs: tuple[TokenLogprob, ...]) -> Fields:
    """`logprobsResult`."""
    return {
        "chosenCandidates": [{"token": one.token, "logProbability": one.logprob} for one in logprobs],
        "topCandidates": [
            {"candidates": [{"token": token, "logProbability": logprob} for token, logprob in one.top]}
            for one in logprobs
        ],
    }


def thought(part: Thinking) -> Fields:
    """A thought with its signature. What this provider did not sign goes wrapped up into the same field, which takes
    nothing but base64."""
    written: Fields = {"text": part.text, "thought": True}
    if is_own(part):
        written["thoughtSignature"] = part.signature.removeprefix(_OWN)
    elif part.signature or part.sealed or part.id:
        seal = Seal(signature=part.signature, sealed=part.sealed, id=part.id)
        written["thoughtSignature"] = seals.written64(seal)
    return written


def call(part: ToolCall, arguments: dict[str, Json]) -> Fields:
    """A tool call."""
    written: Fields = {"functionCall": {"id": part.id, "name": part.name, "args": arguments}}
    if part.signature:
        written["thoughtSignature"] = (
            part.signature
            if seals.is_base64(part.signature)
            else seals.written64(Seal(signature=part.signature))
        )
    return written


def read_arguments(text: str) -> dict[str, Json] | None:
    """The object that a call's arguments are; None where the model wrote something else, was cut off, or
    nested without end."""
    try:
        value = orjson.loads(text or "{}")
        orjson.dumps([[[[[[[[value]]]]]]]])  # as deep as it will stand: orjson reads deeper than it writes
    except (orjson.JSONDecodeError, TypeError):
        return None
    return value if isinstance(value, dict) else None


def inline(part: Media) -> Fields:
    """A file that comes along."""
    return {"inlineData": {"mimeType": part.media_type or "application/octet-stream", "data": part.data}}


def has_calls(parts: tuple[Part, ...]) -> bool:
    """Whether a tool is called."""
    return any(isinstance(part, ToolCall) for part in parts)
