"""Uploads: judged before a byte leaves, in every way in which services take files, and known again by their ids."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest

from agent.gateway.transport.base import Headers
from agent.model.content import Attachment
from agent.model.decision import Action
from agent.model.record import Outcome
from tests.fakes import documents
from tests.fakes.rulebooks import BOMB, NOTE, TOY
from tests.fakes.upstream import FakeClient
from tests.unit.gateway.conftest import POST_JSON, Gateway, policy

GONE = "[REDACTED:toy]"
ANSWER = b'{"id":"c","model":"m-2","choices":[]}'
BOUNDARY = "------WebKitFormBoundaryabc"


def form(data: bytes, name: str, media_type: str = "application/octet-stream", **fields: str) -> bytes:
    parts = [
        f'{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts.append(f"{head}Content-Type: {media_type}\r\n\r\n".encode() + data + b"\r\n")
    return b"".join(parts) + f"{BOUNDARY}--\r\n".encode()


FORM: Headers = ((b"content-type", f"multipart/form-data; boundary={BOUNDARY[2:]}".encode()),)


async def upload(
    gateway: Gateway,
    body: bytes,
    *,
    path: str = "/v1/files",
    headers: Headers = FORM,
    answer: object = None,
    **more: Any,
) -> FakeClient:
    if answer is not None:
        gateway.answers(json.dumps(answer).encode())
    gateway.audit.events.clear()
    return await gateway.ask(body, path=path, headers=headers, **more)


def seen(gateway: Gateway) -> Attachment:
    (attachment,) = gateway.event.attachments
    return attachment


# Forms


async def test_a_clean_file_passes_byte_by_byte_and_its_answer_too(gateway: Gateway) -> None:
    body = form(documents.docx("nothing"), "a.docx", purpose="user_data")
    client = await upload(gateway, body, answer={"id": "file-1"})
    assert gateway.transport.asked[0].body == body
    assert (client.status, json.loads(client.body)) == (200, {"id": "file-1"})
    event = gateway.event
    assert (event.operation, event.surface, event.outcome) == ("upload", "openai", Outcome.COMPLETED)
    assert (seen(gateway).type, seen(gateway).outcome, seen(gateway).name) == ("docx", "read", "a.docx")


async def test_a_secret_in_a_document_never_leaves(gateway: Gateway) -> None:
    client = await upload(gateway, form(documents.docx(TOY), "a.docx"))
    assert gateway.transport.asked == []
    assert client.status == 400
    assert json.loads(client.body)["error"]["code"] == "content_policy_violation"


async def test_a_secret_in_a_plain_text_is_redacted_in_its_form(gateway: Gateway) -> None:
    body = form(f"a,b\n1,{TOY}\n".encode(), "a.csv", "text/csv", purpose="user_data")
    await upload(gateway, body, answer={"id": "file-1"})
    (asked,) = gateway.transport.asked
    assert asked.body == body.replace(TOY.encode(), GONE.encode())
    assert asked.request.content_length == len(asked.body)


@pytest.mark.parametrize(
    ("host", "path", "said"),
    [
        ("api.anthropic.com", "/v1/files", ("error", "message")),
        ("claude.ai", "/api/organizations/o/upload", ("error", "message")),
        ("chat.deepseek.com", "/api/v0/file/upload_file", ("detail",)),
        ("generativelanguage.googleapis.com", "/upload/v1beta/files", ("error", "message")),
    ],
)
async def test_the_refusal_is_in_the_surfaces_own_words(
    gateway: Gateway, host: str, path: str, said: tuple[str, ...]
) -> None:
    client = await upload(gateway, form(BOMB.encode(), "a.txt"), host=host, path=path)
    assert gateway.transport.asked == []
    document = json.loads(client.body)
    for key in said:
        document = document[key]
    assert "bomb in a file" in document
    assert 400 <= client.status < 404


async def test_a_form_that_can_be_read_in_two_ways_is_looked_at_as_a_whole(gateway: Gateway) -> None:
    body = form(BOMB.encode(), "a.txt", file="twice")  # a field and a file of one name
    await upload(gateway, body)
    assert gateway.transport.asked == []


async def test_several_files_of_one_name_are_all_read(gateway: Gateway) -> None:
    two = form(b"clean", "a.txt")[: -len(BOUNDARY) - 4] + form(BOMB.encode(), "b.txt")
    await upload(gateway, two)
    assert gateway.transport.asked == []
    assert len(gateway.event.attachments) == 2


@policy("attachments: [{id: no-archives, extensions: [zip], action: block}]")
async def test_a_rule_for_files_holds_for_uploads(gateway: Gateway) -> None:
    await upload(gateway, form(b"anything", "a.zip"))
    assert gateway.event.decision.rule_ids == ("no-archives",)


# Known again


def meant(file: str) -> bytes:
    part = {"type": "input_file", "file_id": file}
    return json.dumps({"model": "m", "input": [{"role": "user", "content": [part]}]}).encode()


async def test_a_prompt_that_uses_a_file_tells_what_the_file_was(gateway: Gateway) -> None:
    await upload(gateway, form(documents.docx(NOTE), "plan.docx"), answer={"id": "file-1"})
    gateway.answers(ANSWER)
    gateway.audit.events.clear()
    await gateway.ask(meant("file-1"), path="/v1/responses")
    known = seen(gateway)
    assert (known.id, known.name, known.type) == ("file-1", "plan.docx", "docx")
    assert known.uploaded_at is not None
    assert known.findings == (("custom/note", 1),)
    assert gateway.event.decision.action is Action.ALERT


@policy("attachments: [{id: f, on_redact: allow, apps: [nobody]}]")
async def test_a_prompt_is_judged_by_what_was_found_in_its_files(gateway: Gateway) -> None:
    gateway.files.book.remember("openai", "file-1", Attachment(kind="file", findings=(("custom/toy", 2),)))
    client = await gateway.ask(meant("file-1"), path="/v1/responses")
    assert gateway.transport.asked == []
    assert b"toy in a file" in client.body
    (hit,) = gateway.event.decision.hits
    assert hit.count == 2


async def test_what_was_redacted_in_an_upload_is_not_held_against_it(gateway: Gateway) -> None:
    await upload(gateway, form(TOY.encode(), "a.txt"), answer={"id": "file-1"})
    gateway.answers(ANSWER)
    gateway.audit.events.clear()
    await gateway.ask(meant("file-1"), path="/v1/responses")
    assert gateway.event.decision.action is Action.ALLOW


@policy("access: [{id: tainted, when: 'attachments.exists(a, a.findings > 0)', action: block}]")
async def test_policy_may_refuse_prompts_that_use_such_files(gateway: Gateway) -> None:
    gateway.files.book.remember("openai", "file-1", Attachment(kind="file", findings=(("custom/note", 1),)))
    await gateway.ask(meant("file-1"), path="/v1/responses")
    assert gateway.event.decision.rule_ids == ("tainted",)


async def test_a_refused_upload_is_not_remembered(gateway: Gateway) -> None:
    gateway.answers(b'{"error": {}}', status=400)
    await upload(gateway, form(b"x", "a.txt"))
    assert gateway.files.book.find("openai", "file-1") is None


# Bytes at an address that was told before


async def chatgpt(gateway: Gateway, data: bytes, name: str) -> FakeClient:
    told = {"file_id": "file-9", "upload_url": "https://files1.oaiusercontent.com/file-9?sig=secret&se=1"}
    document = {"file_name": name, "file_size": len(data), "use_case": "my_files"}
    client = await upload(
        gateway,
        json.dumps(document).encode(),
        host="chatgpt.com",
        path="/backend-api/files",
        headers=POST_JSON,
        answer=told,
    )
    assert json.loads(client.body) == told
    gateway.audit.events.clear()
    gateway.answers(b"", status=201)
    return await gateway.ask(
        data,
        host="files1.oaiusercontent.com",
        path="/file-9?sig=secret&se=1",
        method="PUT",
        headers=((b"content-type", b"application/octet-stream"), (b"x-ms-blob-type", b"BlockBlob")),
    )


async def test_a_page_registers_a_file_and_sends_its_bytes_elsewhere(gateway: Gateway) -> None:
    client = await chatgpt(gateway, documents.xlsx([["a"]]), "book.xlsx")
    assert client.status == 201
    assert (seen(gateway).name, seen(gateway).type, seen(gateway).outcome) == ("book.xlsx", "xlsx", "read")
    known = gateway.files.book.find("openai", "file-9")
    assert known is not None
    assert (known.name, known.type) == ("book.xlsx", "xlsx")


async def test_bytes_whose_size_was_told_are_refused_rather_than_changed(gateway: Gateway) -> None:
    client = await chatgpt(gateway, f"a text with {TOY}".encode(), "a.txt")
    assert len(gateway.transport.asked) == 1  # what registered it
    assert client.status == 403
    assert b"<Error>" in client.body
    assert client.header(b"access-control-allow-origin") == b"*"
    assert gateway.files.book.find("openai", "file-9") is None


async def test_bytes_in_blocks_are_judged_as_one_before_the_list_that_makes_them_a_file(
    gateway: Gateway,
) -> None:
    data = documents.docx(BOMB)
    told = {"file_id": "file-9", "upload_url": "https://files1.oaiusercontent.com/file-9?sig=s"}
    document = json.dumps({"file_name": "a.docx"}).encode()
    await upload(
        gateway, document, host="chatgpt.com", path="/backend-api/files", headers=POST_JSON, answer=told
    )
    for block, part in (("QQ==", data[9000:]), ("QUE=", data[:9000])):
        gateway.answers(b"", status=201)
        query = f"sig=s&comp=block&blockid={block.replace('=', '%3D')}"
        await put(gateway, part, query)
    blocks = b"<BlockList><Latest>QUE=</Latest><Latest>QQ==</Latest></BlockList>"
    client = await put(gateway, blocks, "sig=s&comp=blocklist")
    assert client.status == 403
    assert len(gateway.transport.asked) == 3
    assert seen(gateway).type == "docx"


async def put(gateway: Gateway, data: bytes, query: str) -> FakeClient:
    gateway.audit.events.clear()
    return await gateway.ask(
        data, host="files1.oaiusercontent.com", path=f"/file-9?{query}", method="PUT", headers=()
    )


async def test_what_a_store_wants_beside_a_file_is_its_own(gateway: Gateway) -> None:
    body = form(b"clean", "a.txt", AWSAccessKeyId=TOY, key="uploads/a.txt")
    host = "ppl-ai-file-upload.s3.amazonaws.com"
    gateway.answers(b"", status=204)
    client = await gateway.ask(body, host=host, path="/", headers=FORM)
    assert client.status == 204
    assert gateway.transport.asked[0].body == body


@policy("attachments: [{id: no-books, extensions: [xlsx], action: block}]")
async def test_a_file_may_be_refused_before_its_bytes_come(gateway: Gateway) -> None:
    document = {"file_name": "book.xlsx", "file_size": 7}
    client = await upload(
        gateway,
        json.dumps(document).encode(),
        host="chatgpt.com",
        path="/backend-api/files",
        headers=POST_JSON,
    )
    assert gateway.transport.asked == []
    assert "detail" in json.loads(client.body)


async def test_what_pages_read_from_storage_passes(gateway: Gateway) -> None:
    gateway.answers(b"picture", headers=((b"content-type", b"image/png"),))
    client = await gateway.ask(method="GET", host="files1.oaiusercontent.com", path="/file-9", headers=())
    assert client.body == b"picture"
    assert gateway.event.operation == "upload"
    assert gateway.event.attachments == ()


async def test_a_file_as_base64_in_json_is_read_and_rewritten(gateway: Gateway) -> None:
    document = {
        "fileName": "a.txt",
        "fileMimeType": "text/plain",
        "content": base64.b64encode(f"see {TOY}".encode()).decode(),
    }
    await upload(
        gateway,
        json.dumps(document).encode(),
        host="grok.com",
        path="/rest/app-chat/upload-file",
        headers=POST_JSON,
        answer={"fileMetadataId": "g1"},
    )
    sent = orjson.loads(gateway.transport.asked[0].body)
    assert base64.b64decode(sent["content"]) == f"see {GONE}".encode()
    assert gateway.files.book.find("x_ai", "g1") is not None


# Google's resumable uploads

GOOGLE = "generativelanguage.googleapis.com"
PLACE = f"https://{GOOGLE}/upload/v1beta/files?upload_id=u1&upload_protocol=resumable"


async def google(gateway: Gateway, *parts: bytes, name: str = "a.txt") -> FakeClient:
    gateway.answers(b"", headers=((b"x-goog-upload-url", PLACE.encode()),))
    gateway.audit.events.clear()
    client = await gateway.ask(
        json.dumps({"file": {"display_name": name}}).encode(),
        host=GOOGLE,
        path="/upload/v1beta/files",
        headers=(*POST_JSON, (b"x-goog-upload-command", b"start"), (b"x-goog-upload-protocol", b"resumable")),
    )
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        gateway.answers(b'{"file": {"name": "files/f1"}}' if last else b"")
        gateway.audit.events.clear()
        client = await gateway.ask(
            part,
            host=GOOGLE,
            path="/upload/v1beta/files?upload_id=u1&upload_protocol=resumable",
            headers=((b"x-goog-upload-command", b"upload, finalize" if last else b"upload"),),
        )
        if client.status >= 400:
            break
    return client


async def test_a_resumable_upload_is_known_by_its_name(gateway: Gateway) -> None:
    await google(gateway, documents.pdf("nothing"), name="paper.pdf")
    known = gateway.files.book.find("gcp.gemini", "files/f1")
    assert known is not None
    assert (known.name, known.type) == ("paper.pdf", "pdf")
    body = {"contents": [{"parts": [{"fileData": {"fileUri": f"https://{GOOGLE}/v1beta/files/f1"}}]}]}
    gateway.answers(ANSWER)
    gateway.audit.events.clear()
    await gateway.ask(json.dumps(body).encode(), host=GOOGLE, path="/v1beta/models/g:generateContent")
    assert seen(gateway).name == "paper.pdf"


async def test_a_refused_upload_that_is_sent_again_is_refused_again(gateway: Gateway) -> None:
    data = documents.docx(BOMB)
    client = await google(gateway, data[:9000], data[9000:], name="a.docx")
    assert client.header(b"x-goog-upload-status") == b"final"  # what clients ask for, to be content
    for _ in range(2):
        client = await finish(gateway, data[9000:])
        assert client.status == 400
    assert len(gateway.transport.asked) == 2


async def test_a_file_whose_beginning_was_not_seen_is_judged_by_what_is_there(gateway: Gateway) -> None:
    named = (b"x-goog-upload-file-name", b"a.docx"), (b"x-goog-upload-header-content-type", b"x/y")
    client = await finish(gateway, documents.docx(BOMB), *named)
    assert client.status == 400
    assert (seen(gateway).name, seen(gateway).media_type, seen(gateway).type) == ("a.docx", "x/y", "docx")


async def finish(gateway: Gateway, data: bytes, *fields: tuple[bytes, bytes]) -> FakeClient:
    gateway.audit.events.clear()
    command = (b"x-goog-upload-command", b"upload, finalize")
    return await gateway.ask(
        data,
        host=GOOGLE,
        path="/upload/v1beta/files?upload_id=u1&upload_protocol=resumable",
        headers=(command, *fields),
    )


async def test_a_text_in_parts_is_judged_with_each_part_and_across_them(gateway: Gateway) -> None:
    client = await google(gateway, b"clean " + BOMB[:5].encode(), BOMB[5:].encode() + b" more", b"end")
    assert client.status == 400
    assert [asked.body for asked in gateway.transport.asked][1:] == [b"clean " + BOMB[:5].encode()]


async def test_a_document_in_parts_is_judged_before_it_is_complete(gateway: Gateway) -> None:
    data = documents.docx(BOMB)
    client = await google(gateway, data[:9000], data[9000:], name="a.docx")
    assert client.status == 400
    assert len(gateway.transport.asked) == 2  # the start and the first part: nothing that could be read
    assert gateway.files.book.find("gcp.gemini", "files/f1") is None


@policy("attachments: [{id: f, on_unreadable: block}]")
async def test_a_part_that_cannot_be_read_alone_is_no_failure(gateway: Gateway) -> None:
    data = documents.docx("clean")
    client = await google(gateway, data[:9000], data[9000:], name="a.docx")
    assert client.status == 200


# OpenAI's uploads in parts


async def openai_parts(gateway: Gateway, *parts: bytes, order: tuple[int, ...], name: str) -> FakeClient:
    document = {
        "filename": name,
        "bytes": sum(map(len, parts)),
        "mime_type": "text/plain",
        "purpose": "user_data",
    }
    await upload(
        gateway,
        json.dumps(document).encode(),
        path="/v1/uploads",
        headers=POST_JSON,
        answer={"id": "upload_1"},
    )
    for number, part in enumerate(parts):
        client = await upload(
            gateway, form(part, "part"), path="/v1/uploads/upload_1/parts", answer={"id": f"part_{number}"}
        )
        if client.status >= 400:
            return client
    ids = {"part_ids": [f"part_{number}" for number in order]}
    return await upload(
        gateway,
        json.dumps(ids).encode(),
        path="/v1/uploads/upload_1/complete",
        headers=POST_JSON,
        answer={"id": "upload_1", "file": {"id": "file-7"}},
    )


async def test_parts_are_put_together_in_the_order_in_which_they_are_completed(gateway: Gateway) -> None:
    data = documents.docx(BOMB)
    client = await openai_parts(gateway, data[9000:], data[:9000], order=(1, 0), name="a.docx")
    assert client.status == 400
    assert gateway.event.attachments[0].type == "docx"
    assert len(gateway.transport.asked) == 3  # all but the completion


async def test_completed_parts_are_a_file_like_any_other(gateway: Gateway) -> None:
    client = await openai_parts(gateway, b"one ", b"two", order=(0, 1), name="a.txt")
    assert client.status == 200
    known = gateway.files.book.find("openai", "file-7")
    assert known is not None
    assert (known.name, known.characters) == ("a.txt", 7)


@policy("attachments: [{id: f, on_unreadable: block}]")
async def test_what_began_before_we_did_cannot_be_read(gateway: Gateway) -> None:
    ids = json.dumps({"part_ids": ["part_0"]}).encode()
    await upload(gateway, ids, path="/v1/uploads/upload_0/complete", headers=POST_JSON)
    assert gateway.transport.asked == []
    assert seen(gateway).problem == "unknown_file"


# Files that cannot be held


def large(gateway: Gateway) -> bytes:
    return b"x" * (gateway.max_body + 1)


@pytest.mark.parametrize("announced", [True, False])
async def test_what_is_too_large_passes_unread_where_policy_allows(gateway: Gateway, announced: bool) -> None:
    body = large(gateway)
    length: Headers = (
        ((b"content-length", b"%d" % len(body)),) if announced else ((b"transfer-encoding", b"chunked"),)
    )
    pieces = [body[:70_000], body[70_000:]]
    client = await upload(
        gateway, b"", headers=(*FORM, *length), answer={"id": "file-1"}, client=FakeClient(pieces)
    )
    assert client.status == 200
    assert gateway.transport.asked[0].body == body
    assert seen(gateway).problem == "too_large"


@policy("attachments: [{id: f, on_unreadable: block}]")
async def test_what_is_too_large_is_blocked_where_policy_says_so(gateway: Gateway) -> None:
    body = large(gateway)
    await upload(gateway, body, headers=(*FORM, (b"content-length", b"%d" % len(body))))
    assert gateway.transport.asked == []
