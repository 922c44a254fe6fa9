"""Converse and ConverseStream of Amazon Bedrock, for a model of Anthropic's. Sources: botocore's service model of
bedrock-runtime, docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html; the signature is checked by
botocore's signer.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote
from zlib import crc32

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.bedrock import complaints
from tests.fakes.vendors.scene import (
    ACCESS_KEY,
    SIGNATURE,
    THOUGHT,
    Answer,
    Json,
    Refusal,
    Request,
    Said,
    demand,
    encoded,
    pieces,
    said,
    whole,
)

_PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream)")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/bedrock/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)"
)


class Bedrock:
    """See the module."""

    def serves(self, path: str) -> bool:
        """/model/{model}/converse and /converse-stream."""
        return _PATH.fullmatch(path) is not None

    def error(self, refusal: Refusal) -> bytes:
        """AWS's."""
        return encoded({"message": str(refusal)})

    def answer(self, request: Request) -> Answer:
        """A ConverseResponse, or its events."""
        _check_signature(request)
        match = _PATH.fullmatch(request.path)
        assert match is not None
        demand(unquote(match[1]).startswith("anthropic."), "The provided model identifier is invalid.")
        for complaint in complaints(request.raw):
            raise Refusal(f"1 validation error detected: {complaint}")
        _check(request.body)
        answer = _said(request.body)
        if match[2] == "converse":
            return whole(_response(request, answer))
        parts = tuple(_framed(name, fields) for name, fields in _events(request, answer))
        return Answer(parts=parts, content_type="application/vnd.amazon.eventstream")


def _check_signature(request: Request) -> None:
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    demand(found, "Missing Authentication Token", 403)
    assert found is not None
    demand(
        found[1] == ACCESS_KEY["AccessKeyId"], "The security token included in the request is invalid.", 403
    )
    signed = {name: request.headers[name] for name in found[3].split(";")}
    url = f"http://{request.headers['host']}{request.path}"
    again = AWSRequest(method=request.method, url=url, headers=signed, data=request.raw)
    again.context["timestamp"] = request.headers["x-amz-date"]
    keys = Credentials(ACCESS_KEY["AccessKeyId"], ACCESS_KEY["SecretAccessKey"])
    signer = SigV4Auth(keys, "bedrock", found[2])
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    demand(
        signature == found[4],
        "The request signature we calculated does not match the signature you provided.",
        403,
    )


def _check(body: Json) -> None:
    messages = body.get("messages") or []
    demand(messages, "The model returned the following errors: messages: at least one message is required")
    demand(messages[0]["role"] == "user", "A conversation must start with a user message.")
    roles = [message["role"] for message in messages]
    for one, other in pairwise(roles):
        demand(one != other, f"messages: roles must alternate between user and assistant, found two of {one}")
    demand(roles[-1] == "user", "This model does not support assistant message prefill.")
    blocks = [block for message in messages for block in message["content"]]
    used = any("toolUse" in block or "toolResult" in block for block in blocks)
    demand(
        not used or "toolConfig" in body,
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    )
    thinking = _thinking(body)
    if thinking:
        most = body.get("inferenceConfig", {}).get("maxTokens", 4096)
        demand(
            1024 <= thinking["budget_tokens"] < most,
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        )
        demand(
            body.get("inferenceConfig", {}).get("temperature", 1) == 1, "`temperature` may only be set to 1"
        )
    for message, after in zip(messages, [*messages[1:], None], strict=True):
        _check_turn(message, after, thinks=bool(thinking) and message is _last_assistant(messages))


def _last_assistant(messages: list[Json]) -> Json | None:
    return next((each for each in reversed(messages) if each["role"] == "assistant"), None)


def _thinking(body: Json) -> Json:
    thinking = (body.get("additionalModelRequestFields") or {}).get("thinking") or {}
    return thinking if thinking.get("type") == "enabled" else {}


def _check_turn(message: Json, after: Json | None, *, thinks: bool) -> None:
    content = message["content"]
    calls = {block["toolUse"]["toolUseId"] for block in content if "toolUse" in block}
    given = {
        block["toolResult"]["toolUseId"]
        for block in (after or {}).get("content", ())
        if "toolResult" in block
    }
    demand(
        calls == given,
        "Expected toolResult blocks at messages for the following Ids: "
        f"{', '.join(sorted(calls))}, but found: {', '.join(sorted(given))}",
    )
    for block in content:
        reasoning = block.get("reasoningContent", {}).get("reasoningText")
        if reasoning:
            whole_thought = (reasoning["text"], reasoning.get("signature")) == (THOUGHT, SIGNATURE)
            demand(whole_thought, "Invalid `signature` in `thinking` block")
    demand(
        not (thinks and calls) or "reasoningContent" in content[0],
        "Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
    )


def _said(body: Json) -> Said:
    text, results = "", []
    for message in body["messages"]:
        if message["role"] == "user":
            results = [_result(block["toolResult"]) for block in message["content"] if "toolResult" in block]
            text = next((block["text"] for block in message["content"] if "text" in block), text)
    tools = [
        tool["toolSpec"]["name"] for tool in body.get("toolConfig", {}).get("tools", ()) if "toolSpec" in tool
    ]
    blocks = [block for message in body["messages"] for block in message["content"]]
    pictures = [block["image"] for block in blocks if "image" in block]
    form = body.get("outputConfig", {}).get("textFormat")
    return said(
        text,
        tuple(results),
        tuple(tools),
        thinks=bool(_thinking(body)),
        prefix="tooluse_",
        schema=json.loads(form["structure"]["jsonSchema"]["schema"]) if form else None,
        picture=(f"image/{pictures[-1]['format']}", pictures[-1]["source"]["bytes"]) if pictures else None,
    )


def _result(result: Json) -> str:
    return "".join(
        part["text"] if "text" in part else encoded(part["json"]).decode() for part in result["content"]
    )


def _content(answer: Said) -> Iterator[Json]:
    if answer.thought:
        yield {"reasoningContent": {"reasoningText": {"text": answer.thought, "signature": SIGNATURE}}}
    if answer.text:
        yield {"text": answer.text}
    for call in answer.calls:
        yield {"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}}


def _response(request: Request, answer: Said) -> Json:
    message = {"role": "assistant", "content": list(_content(answer))}
    end = {"stopReason": _stop(answer), "usage": _usage(request, answer), "metrics": {"latencyMs": 7}}
    return {"output": {"message": message}} | end


def _events(request: Request, answer: Said) -> Iterator[tuple[str, Json]]:
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_content(answer)):
        if "toolUse" in block:
            start = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            yield "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": start}}
        for delta in _deltas(block, answer):
            yield "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": _stop(answer)}
    yield "metadata", {"usage": _usage(request, answer), "metrics": {"latencyMs": 7}}


def _deltas(block: Json, answer: Said) -> Iterator[Json]:
    if "text" in block:
        for piece in pieces(block["text"]):
            yield {"text": piece}
    elif "toolUse" in block:
        call = next(each for each in answer.calls if each.id == block["toolUse"]["toolUseId"])
        for piece in pieces(call.text):
            yield {"toolUse": {"input": piece}}
    else:
        for piece in pieces(answer.thought):
            yield {"reasoningContent": {"text": piece}}
        yield {"reasoningContent": {"signature": SIGNATURE}}


def _stop(answer: Said) -> str:
    return "tool_use" if answer.calls else "end_turn"


def _usage(request: Request, answer: Said) -> Json:
    total = request.tokens + answer.tokens
    return {"inputTokens": request.tokens, "outputTokens": answer.tokens, "totalTokens": total}


def _framed(name: str, fields: Json) -> bytes:
    """One message of application/vnd.amazon.eventstream; AWS pads its events with `p`."""
    payload = encoded(fields | {"p": "abcdefgh"})
    given = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        struct.pack("!B", len(key)) + key.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for key, value in given.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return message + struct.pack("!I", crc32(message))
