"""What OpenAI's API does besides chat: completions, embeddings, images, speech, transcriptions, moderations.

Source: platform.openai.com/docs/api-reference. Each answer repeats something of its request.
"""

from __future__ import annotations

import re

from openai.types import (
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
    r".*/(completions|embeddings|images/generations|audio/speech|audio/transcriptions|moderations)(?<!/chat/completions)"
)
_SHAPES = {
    "completions": completion_create_params.CompletionCreateParamsNonStreaming,
    "embeddings": embedding_create_params.EmbeddingCreateParams,
    "images/generations": image_generate_params.ImageGenerateParamsNonStreaming,
    "audio/speech": speech_create_params.SpeechCreateParams,
    "moderations": moderation_create_params.ModerationCreateParams,
}
PNG = "iVBORw0KGgo="
SOUND = b"\xff\xfb\x90\x64 not text \x00\x01"


class OpenAIOthers:
    """See the module."""

    def serves(self, path: str) -> bool:
        """The paths of these operations."""
        return _PATH.fullmatch(path) is not None

    def error(self, refusal: Refusal) -> bytes:
        """OpenAI's."""
        return openai_errors.body(refusal)

    def answer(self, request: Request) -> Answer:
        """By the end of the path."""
        openai_errors.authenticate(request)
        match = _PATH.fullmatch(request.path)
        assert match is not None
        operation = match[1]
        if operation == "audio/transcriptions":
            heard = b'name="model"\r\n\r\nwhisper-1' in request.raw and SOUND in request.raw
            return Answer(parts=(encoded({"text": "heard" if heard else "nothing"}),))
        for complaint in complaints(request.body, _SHAPES[operation]):
            raise Refusal(f"Invalid value: {complaint}")
        if operation == "audio/speech":
            return Answer(parts=(SOUND,), content_type="audio/mpeg")
        return whole(_answer(operation, request))


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
