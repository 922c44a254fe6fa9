"""Instances and predictions of Vertex AI, by way of the dialect that has them."""

from __future__ import annotations

import orjson

from agent.dialects import DIALECTS
from agent.model.content import Attachment, Role
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, request, said

NAME = "gemini-generate-content"
PATH = "/v1/projects/p/locations/l/publishers/google/models/imagen-4:predict"


def test_texts_of_instances() -> None:
    body = {
        "instances": [
            {"prompt": "a cat", "image": {"bytesBase64Encoded": "aGVsbG8=", "mimeType": "image/png"}},
            {"content": "embed me", "task_type": "RETRIEVAL_DOCUMENT", "title": "T"},
            {"video": {"gcsUri": "gs://b/o", "mimeType": "video/mp4"}},
            "bare",
        ],
        "parameters": {"sampleCount": 1},
    }
    parsed = request(NAME, body, path=PATH)
    assert parsed.model == "imagen-4"
    assert said(parsed.slots) == [(Role.USER, text) for text in ("a cat", "embed me", "T", "bare")]
    assert parsed.attachments == (
        Attachment(kind="image", media_type="image/png", size=5),
        Attachment(kind="video", media_type="video/mp4"),
    )
    assert_every_slot_can_be_edited(NAME, body)


def test_texts_of_predictions() -> None:
    answer = {
        "predictions": [
            {"prompt": "a cat, drawn", "bytesBase64Encoded": "AA=="},
            {"embeddings": {"values": [1]}},
        ]
    }
    assert said(DIALECTS[NAME].parse_answer(orjson.dumps(answer)).slots) == [(Role.ASSISTANT, "a cat, drawn")]
