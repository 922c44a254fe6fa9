"""What OpenAI's API does besides chat."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import RequestHead
from agent.dialects.openai_other import answers, deployment
from agent.model.content import Attachment, Role, Usage
from tests.unit.dialects.feeding import (
    assert_every_slot_can_be_edited,
    read,
    repeats,
    request,
    said,
    stream,
    texts,
)

NAME = "openai-chat"
DIALECT = DIALECTS[NAME]
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nthe words\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n'
    b"--b--\r\n"
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"prompt": "p", "suffix": "s"}, ["p", "s"]),
        ({"prompt": ["p", "q"]}, ["p", "q"]),
        ({"prompt": [1, 2]}, []),
        ({"input": "p"}, ["p"]),
        ({"input": ["p", "q"]}, ["p", "q"]),
        ({"input": [[1, 2], [3]]}, []),
        ({"input": [{"type": "text", "text": "p"}]}, ["p"]),
        ({"input": [[{"role": "user", "content": "p"}]]}, ["p"]),  # Mistral's moderation of a chat
        ({"input": "said", "voice": "alloy", "instructions": "slowly"}, ["said", "slowly"]),
        ({"prompt": "p", "extra": {"language": "go", "context": ["c"]}}, ["p", "go", "c"]),  # Copilot
    ],
)
def test_texts_of_requests(body: dict[str, object], found: list[str]) -> None:
    assert said(request(NAME, body).slots) == [(Role.USER, text) for text in found]
    assert_every_slot_can_be_edited(NAME, body)


@pytest.mark.parametrize(
    ("body", "attachment"),
    [
        ({"document": {"type": "document_url", "document_url": "https://x/a.pdf", "document_name": "a.pdf"}},
         Attachment(kind="document", name="a.pdf")),
        ({"document": {"type": "document_url", "document_url": "data:application/pdf;base64,aGVsbG8="}},
         Attachment(kind="document", media_type="application/pdf", size=5)),
        ({"document": {"image_url": {"url": "data:image/png;base64,aGVsbG8="}}},
         Attachment(kind="image", media_type="image/png", size=5)),
        ({"input": [{"type": "image_url", "image_url": {"url": "https://x"}}]}, Attachment(kind="image")),
        ({"images": [{"image_url": "https://x"}]}, Attachment(kind="image")),
        ({"mask": {"file_id": "file-1"}}, Attachment(kind="image", name="file-1")),
        ({"image": "data:image/png;base64,aGVsbG8="}, Attachment(kind="image", media_type="image/png", size=5)),
    ],
)  # fmt: skip
def test_attachments_of_requests(body: dict[str, object], attachment: Attachment) -> None:
    assert request(NAME, body).attachments == (attachment,)


def test_texts_of_answers() -> None:
    def answer(document: object) -> list[tuple[Role, str]]:
        return said(DIALECT.parse_answer(orjson.dumps(document)).slots)

    assert answer({"text": "a", "segments": [{"id": 0, "text": "b"}]}) == [
        (Role.ASSISTANT, "a"),
        (Role.ASSISTANT, "b"),
    ]
    assert answer({"data": [{"b64_json": "AA==", "revised_prompt": "r"}]}) == [(Role.ASSISTANT, "r")]
    assert answer({"pages": [{"index": 0, "markdown": "# m", "images": []}]}) == [(Role.ASSISTANT, "# m")]
    assert answer({"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 3}}) == []


def test_a_transcription_that_streams() -> None:
    views = read(
        NAME,
        stream(
            {"type": "transcript.text.delta", "delta": "I "},
            {"type": "transcript.text.delta", "delta": "ask."},
            {
                "type": "transcript.text.done",
                "text": "I ask.",
                "usage": {"input_tokens": 1, "output_tokens": 2},
            },
        ),
    )
    assert texts(views) == {"transcript": "I ask."}
    assert repeats(views) == [(Role.ASSISTANT, "I ask.")]
    assert (views[-1].final, views[-1].closes) == (True, ("transcript",))
    assert views[-1].usage == Usage(input_tokens=1, output_tokens=2)


def test_sounds_and_pictures_that_stream() -> None:
    views = read(
        NAME,
        stream(
            {"type": "speech.audio.delta", "audio": "AA=="},
            {"type": "image_generation.partial_image", "b64_json": "AA=="},
            {"type": "image_generation.completed", "b64_json": "AA==", "usage": {"input_tokens": 1}},
        ),
    )
    assert texts(views) == {}
    assert views[-1].final
    assert views[-1].usage == Usage(input_tokens=1)


def test_a_chat_chunk_with_a_type_of_its_own_is_a_chat_chunk() -> None:
    (view,) = read(NAME, stream({"type": "novel", "choices": [{"delta": {"content": "hi"}}]}))
    assert texts([view]) == {"choice/0/content": "hi"}


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/openai/deployments/my-gpt/chat/completions", "my-gpt"),
        ("/v1/engines/copilot-codex/completions", "copilot-codex"),
        ("/v1/completions", ""),
    ],
)
def test_the_model_in_a_path(path: str, model: str) -> None:
    assert deployment(path) == model
    assert request(NAME, {"prompt": "x"}, path=path).model == model
    head = RequestHead(method="POST", path=path, content_type="multipart/form-data; boundary=b")
    assert DIALECT.parse_request(head, FORM).model == model


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"n": 0}, 1),
        ({"n": 2, "best_of": 5}, 5),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": []}, 1),
    ],
)
def test_answers_are_counted_as_they_are_made(document: dict[str, object], count: int) -> None:
    assert answers(document) == count
