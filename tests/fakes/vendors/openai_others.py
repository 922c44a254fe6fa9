"""What OpenAI's API does besides chat: completions, embeddings, images, speech, transcriptions, moderations, files,
batches.

Source: platform.openai.com/docs/api-reference. Each answer repeats something of its request.
"""

from __future__ import annotations

import re

from openai.types import (
    batch_create_params,
    completion_create_params,
    embedding_create_params,
    image_generate_params,
    moderation_create_params,
)
from openai.types.audio import speech_create_params

from tests.fakes.vendors import openai_errors
from tests.fakes.vendors.scene import Answer, Json, Refusal, Request, encoded, whole
from tests.fakes.vendors.shapes import complaints

_PATH = re.compile(
    r".*/(completions|embeddings|images/generations|images/edits|audio/speech|audio/transcriptions|audio/translations"
    r"|moderations|files|batches)(?<!/chat/completions)(/[a-z0-9-]+(?:/content)?)?"
)
_SHAPES = {
    "completions": completion_create_params.CompletionCreateParamsNonStreaming,
    "embeddings": embedding_create_params.EmbeddingCreateParams,
    "images/generations": image_generate_params.ImageGenerateParamsNonStreaming,
    "audio/speech": speech_create_params.SpeechCreateParams,
    "moderations": moderation_create_params.ModerationCreateParams,
}
PNG = "iVBORw0KGgo="
_KEEPING = ("files", "batches")
PIXELS = b"\x89PNG\r\n\x1a\n not a picture"
LINE = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-5"}}\n'
SOUND = b"\xff\xfb\x90\x64 not text \x00\x01"


class OpenAIOthers:
    """See the module."""

    def serves(self, path: str) -> bool:
        """The paths of these operations."""
        return _PATH.fullmatch(path) is not None

    def keeps(self, path: str) -> bool:
        """Whether the path is that of something that can be read and deleted."""
        match = _PATH.fullmatch(path)
        return match is not None and match[1] in _KEEPING

    def error(self, refusal: Refusal) -> bytes:
        """OpenAI's."""
        return openai_errors.body(refusal)

    def answer(self, request: Request) -> Answer:
        """By the end of the path."""
        openai_errors.authenticate(request)
        match = _PATH.fullmatch(request.path)
        assert match is not None
        operation = match[1]
        if operation in _KEEPING:
            return _kept(operation, match[2] or "", request)
        if operation in ("audio/transcriptions", "audio/translations"):
            heard = b'name="model"\r\n\r\nwhisper-1' in request.raw and SOUND in request.raw
            return Answer(parts=(encoded({"text": "heard" if heard else "nothing"}),))
        if operation == "images/edits":
            seen = b'name="model"\r\n\r\ngpt-image-1' in request.raw and PIXELS in request.raw
            return whole({"created": 1, "data": [{"b64_json": PNG if seen else ""}]})
        for complaint in complaints(request.body, _SHAPES[operation]):
            raise Refusal(f"Invalid value: {complaint}")
        if operation == "audio/speech":
            return Answer(parts=(SOUND,), content_type="audio/mpeg")
        return whole(_answer(operation, request))


def _kept(operation: str, which: str, request: Request) -> Answer:
    """What is kept: a file of one line, and a batch that has been done at once."""
    if operation == "files":
        if which.endswith("/content"):
            return Answer(parts=(LINE,), content_type="application/octet-stream")
        if request.method == "DELETE":
            return whole({"id": which[1:], "object": "file", "deleted": True})
        if request.method == "POST" and LINE not in request.raw:
            raise Refusal("this stand-in keeps one file only")
        held = {"id": "file-1", "object": "file", "bytes": len(LINE), "created_at": 1, "filename": "a.jsonl"}
        return whole(held | {"purpose": "batch", "status": "processed"})
    if request.method == "POST":
        for complaint in complaints(request.body, batch_create_params.BatchCreateParams):
            raise Refusal(f"Invalid value: {complaint}")
    times = {"created_at": 1, "completion_window": "24h"}
    done = {"status": "completed", "input_file_id": "file-1", "output_file_id": "file-2"}
    return whole({"id": "batch-1", "object": "batch", "endpoint": "/v1/chat/completions"} | times | done)


def _answer(operation: str, request: Request) -> Json:
    body = request.body
    model = body.get("model")
    usage = {"prompt_tokens": request.tokens, "total_tokens": request.tokens}
    match operation:
        case "completions":
            choice = {"index": 0, "text": f"{body['prompt']}!", "logprobs": None, "finish_reason": "stop"}
            counted = usage | {"completion_tokens": 1, "total_tokens": request.tokens + 1}
            head = {"id": "cmpl-v1", "object": "text_completion", "created": 1, "model": model}
            return head | {"choices": [choice], "usage": counted}
        case "embeddings":
            texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
            vector = "AACAPwAAAEA=" if body.get("encoding_format") == "base64" else [1.0, 2.0]
            data = [
                {"object": "embedding", "index": index, "embedding": vector} for index, _ in enumerate(texts)
            ]
            return {"object": "list", "data": data, "model": model, "usage": usage}
        case "images/generations":
            return {"created": 1, "data": [{"b64_json": PNG, "revised_prompt": body["prompt"]}]}
    from openai.types import moderation

    fields = {
        kind: [field.alias or name for name, field in getattr(moderation, kind).model_fields.items()]
        for kind in ("Categories", "CategoryScores", "CategoryAppliedInputTypes")
    }
    result = {
        "flagged": False,
        "categories": dict.fromkeys(fields["Categories"], False),
        "category_scores": dict.fromkeys(fields["CategoryScores"], 0.01),
        "category_applied_input_types": {name: ["text"] for name in fields["CategoryAppliedInputTypes"]},
    }
    return {"id": "modr-v1", "model": model, "results": [result]}
