"""Gemini's page: prompts in forms, answers in snapshots, refusals in batches."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import ConversationVoice, ParsedRequest, RequestHead
from agent.errors import ContentError
from agent.inspection import StreamInspector, inspect_request
from agent.model.content import Edit, Role
from tests.fakes.chat_pages import GeminiPage, frame, gemini, gemini_answer
from tests.fakes.rulebooks import BOMB, TOY, toy_scope
from tests.unit.dialects.feeding import said

WEB, RPC = DIALECTS["gemini-web"], DIALECTS["gemini-rpc"]
GONE = "[REDACTED:toy]"
HEAD = RequestHead(
    method="POST",
    path="/_/BardChatUi/data/assistant.lamda.BardFrontendService/StreamGenerate",
    content_type="application/x-www-form-urlencoded;charset=utf-8",
)
FILES = [[["/contrib_service/ttl_1d/1700_abc", 1], "plan of it.pdf"]]


def inner(prompt: object, files: object = None) -> list[object]:
    question: list[object] = [None] * 69
    question[0] = [prompt, 0, None, files, None, None, 0]
    question[1] = ["en"]
    question[2] = ["c_1", "r_1", "rc_1", None, None, None, None, None, None, ""]
    question[3] = "!token-without-space"
    question[7] = 1
    return question


def form(*arguments: object, **more: str) -> bytes:
    request = json.dumps([None, json.dumps(inner(*arguments), ensure_ascii=False)], ensure_ascii=False)
    return urlencode({"f.req": request, "at": "AIWP:17", **more}).encode()


def test_a_prompt_is_read_with_its_files_and_its_conversation() -> None:
    request = WEB.parse_request(HEAD, form("What is in it?", FILES))
    assert said(request.slots) == [(Role.USER, "What is in it?")]
    assert (request.conversation, request.files) == ("c_1", ("/contrib_service/ttl_1d/1700_abc",))
    assert [(each.kind, each.name) for each in request.attachments] == [("file", "plan of it.pdf")]


def test_words_at_places_that_are_not_known_are_read() -> None:
    question = inner("hello")
    question[40] = [None, ["some selected text", "id-1"]]
    body = urlencode({"f.req": json.dumps([None, json.dumps(question)])}).encode()
    assert said(WEB.parse_request(HEAD, body).slots) == [
        (Role.USER, "hello"),
        (Role.USER, "some selected text"),
    ]


def test_a_secret_goes_and_every_other_byte_stays() -> None:
    body = form(f'my "key" is {TOY}, é😀', FILES, extra="~*")
    verdict = inspect_request(WEB, HEAD, body, toy_scope())
    (before,) = parse_qs(body.decode())["f.req"]
    (after,) = parse_qs(verdict.body.decode())["f.req"]
    assert after == before.replace(TOY, GONE)
    cut = body.index(b"TOY")
    assert verdict.body[:cut] == body[:cut]
    assert verdict.body.endswith(body[cut + len(TOY) :])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"at=1",
        b"f.req=5",
        b"f.req=%5Bnull%5D",
        b"f.req=%5Bnull%2C%22x%22%5D",
        form(None),
        form(["moved"]),
        form("a") + b"&f.req=1",
    ],
)
def test_a_question_of_another_shape_is_noticed(body: bytes) -> None:
    with pytest.raises(ContentError):
        WEB.parse_request(HEAD, body)
    verdict = inspect_request(WEB, HEAD, body or b" ", toy_scope())
    assert not verdict.understood
    assert verdict.problem


def test_instructions_of_a_gem_are_read_and_no_other_call() -> None:
    gem = [["oMH3Zd", json.dumps([["Helper", "of mine", f"Use {TOY}"]]), None, "generic"]]
    body = urlencode({"f.req": json.dumps([gem])}).encode()
    request = RPC.parse_request(HEAD, body)
    assert said(request.slots) == [(Role.USER, text) for text in ("Helper", "of mine", f"Use {TOY}")]
    edits = (Edit(address=request.slots[2].address, start=4, end=14, replacement="it"),)
    assert said(RPC.parse_request(HEAD, RPC.edit_request(body, edits)).slots)[2] == (Role.USER, "Use it")
    others = urlencode({"f.req": json.dumps([[["MaZiqc", '["some words"]', None, "generic"]]])}).encode()
    assert RPC.parse_request(HEAD, others).wordless
    with pytest.raises(ContentError):
        RPC.parse_request(HEAD, b"f.req=5")
    assert RPC.block("Not here.").status == 403


pieces = st.lists(
    st.sampled_from([TOY, TOY[:7], TOY[4:], "TOY-", "TO", "Y-1234", "56", " ", "é", "😀", "\n", '"', "and"]),
    max_size=9,
)


def inspected(stream: bytes, size: int, name: str = "gemini-web") -> tuple[bytes, StreamInspector]:
    dialect = DIALECTS[name]
    inspector = StreamInspector(dialect, dialect.stream_reader(ParsedRequest()), toy_scope())
    cut = [stream[at : at + size] for at in range(0, len(stream), size)]
    return b"".join([*(inspector.feed(each) for each in cut), inspector.finish()]), inspector


@given(pieces=pieces, size=st.integers(1, 400))
def test_no_page_ever_shows_a_secret_however_it_is_cut(pieces: list[str], size: int) -> None:
    stream = b"".join(gemini(pieces))
    sent, _ = inspected(stream, size)
    text = "".join(pieces)
    clean = text
    for finding in reversed(toy_scope().rules.scan(text)):
        clean = clean[: finding.start] + GONE + clean[finding.end :]
    page = GeminiPage().read(sent)
    assert page.done
    assert page.text == clean
    assert all(TOY not in shown for shown in page.seen)
    if clean == text:
        assert sent == stream


def test_a_code_block_that_is_closed_and_opened_again_is_one_text() -> None:
    reader = WEB.stream_reader(ParsedRequest())
    said = ["```\nx = 1\n```", "```\nx = 12\n```", "```\nx = 12\n```\nDone."]
    views = [reader.read("", frame([gemini_answer(text)]).lstrip("0123456789").encode()) for text in said]
    assert [delta.piece for view in views for delta in view.deltas] == ["```\nx = 1", "2", "\n```\nDone."]


def test_thoughts_and_words_beside_the_answer_are_texts() -> None:
    candidate: list[object] = [None] * 38
    candidate[0], candidate[1], candidate[37] = "rc_1", ["It is so."], [[f"I think {TOY}"]]
    answer = [None, ["c_1", "r_1"], None, None, [candidate], None, None, None, None, None, [f"About {TOY}"]]
    stream = (")]}'\n\n" + frame([["wrb.fr", None, json.dumps(answer)]]) + frame([["e", 4]])).encode()
    sent, inspector = inspected(stream, 50)
    assert TOY.encode() not in sent
    assert sent.count(GONE.encode()) == 2
    GeminiPage().read(sent)  # its lengths are right
    assert inspector.ended


def test_an_answer_that_is_stopped_shows_our_words_only() -> None:
    stream = b"".join(gemini(["so far ", "so good ", BOMB, " never"]))
    sent, inspector = inspected(stream, 4000)
    page = GeminiPage().read(sent)
    assert inspector.blocked
    assert page.done
    assert page.text == inspector.decision().message
    assert BOMB.encode() not in sent


@pytest.mark.parametrize(
    "body", [b')]}\'\n\n[["wrb.fr","x","[1]"]]', b"not json", b'{"error": {"code": 5}}', b""]
)
def test_an_answer_without_chunks_passes_as_it_came(body: bytes) -> None:
    for name in ("gemini-web", "gemini-rpc"):
        assert inspected(body, 4, name)[0] == body


def test_an_error_instead_of_chunks_is_read() -> None:
    body = b'{"error": {"message": "It broke at %s"}}' % TOY.encode()
    assert inspected(body, 9)[0] == body.replace(TOY.encode(), GONE.encode())


def test_calls_pass_as_they_came() -> None:
    stream = (")]}'\n\n" + frame([["wrb.fr", "hNvQHb", json.dumps([f"old words {TOY}"])]])).encode()
    assert inspected(stream, 9, "gemini-rpc")[0] == stream


def test_a_refusal_is_an_answer_in_its_conversation() -> None:
    assert isinstance(WEB, ConversationVoice)
    block = WEB.block_in("Not here. Ref 1.", WEB.parse_request(HEAD, form("a")))
    assert (block.status, dict(block.headers)[b"content-type"]) == (200, b"application/json; charset=utf-8")
    page = GeminiPage().read(block.body)
    assert (page.text, page.done) == ("Not here. Ref 1.", True)
    assert b'\\"c_1\\"' in block.body


def test_an_error_is_read_and_told() -> None:
    assert said(WEB.parse_answer(b'{"error": {"message": "It broke"}}').slots) == [
        (Role.ASSISTANT, "It broke")
    ]
    assert said(WEB.parse_answer(b'[["er", "It broke"]]').slots) == [(Role.ASSISTANT, "It broke")]
    assert WEB.error(502, "no luck").status == 502
