"""Claude's page: prompts with the text of documents, the page's own events, answers of older servers."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest, RequestHead
from agent.errors import ContentError
from agent.inspection import StreamInspector
from agent.model.content import Role
from tests.fakes.rulebooks import BOMB, TOY, toy_scope
from tests.fakes.streams import documents
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, read, repeats, said, stream, texts

WEB = DIALECTS["claude-web"]
GONE = "[REDACTED:toy]"
PATH = "/api/organizations/o-1/chat_conversations/conv-1/completion"
QUESTION = {
    "prompt": "Sum it up.",
    "parent_message_uuid": "00000000-0000-4000-8000-000000000000",
    "timezone": "Europe/Berlin",
    "personalized_styles": [
        {"type": "default", "key": "Default", "name": "Normal", "prompt": "Be plain\n", "summary": "Default"}
    ],
    "tools": [{"type": "web_search_v0", "name": "web_search", "description": "Finds pages."}],
    "turn_message_uuids": {"human_message_uuid": "a", "assistant_message_uuid": "b"},
    "attachments": [
        {"file_name": "a.txt", "file_type": "text/plain", "file_size": 9, "extracted_content": "The text."}
    ],
    "files": ["f-1", {"file_uuid": "f-2"}],
    "sync_sources": [{"type": "gdrive", "config": {"uri": "https://a.example"}}],
    "rendering_mode": "messages",
    "model": "claude-sonnet-4-5",
}


def parsed(document: object, path: str = PATH) -> ParsedRequest:
    return WEB.parse_request(RequestHead(method="POST", path=path), orjson.dumps(document))


def delta(kind: str, key: str, text: object, index: int = 0) -> dict[str, object]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: text}}


def answer(*said: str) -> list[dict[str, object]]:
    return [
        {"type": "conversation_ready"},
        {"type": "message_start", "message": {"model": "claude-sonnet-4-5", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(delta("text_delta", "text", text) for text in said),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_limit", "message_limit": {"type": "within_limit"}},
        {"type": "message_stop"},
    ]


def completions(*said: str) -> list[dict[str, object]]:
    return [
        *(
            {"type": "completion", "completion": text, "stop_reason": None, "model": "claude-2"}
            for text in said
        ),
        {"type": "completion", "completion": "", "stop_reason": "stop_sequence", "model": "claude-2"},
    ]


def heard(sent: bytes) -> str:
    """The text that a page puts together."""
    found = ""
    for document in documents(sent):
        piece = document.get("delta")
        found += str(document.get("completion", ""))
        found += str(piece.get("text", "")) if isinstance(piece, dict) else ""
    return found


def test_a_question_is_read_with_its_documents_and_its_conversation() -> None:
    request = parsed(QUESTION)
    assert said(request.slots) == [
        (Role.USER, "Sum it up."),
        (Role.SYSTEM, "Be plain\n"),
        (Role.SYSTEM, "Default"),
        (Role.SYSTEM, "Normal"),
        (Role.TOOL_CALL, "Finds pages."),
        (Role.USER, "The text."),
        (Role.USER, "gdrive"),
        (Role.USER, "https://a.example"),
    ]
    assert (request.model, request.conversation) == ("claude-sonnet-4-5", "conv-1")
    assert request.files == ("f-1", "f-2")
    assert [(each.kind, each.name, each.size) for each in request.attachments] == [
        ("document", "a.txt", 9),
        ("file", "f-1", None),
        ("file", "f-2", None),
    ]
    assert_every_slot_can_be_edited("claude-web", QUESTION)


def test_an_answer_may_be_asked_for_once_more() -> None:
    assert parsed(
        {"prompt": "", "parent_message_uuid": "a"}, PATH.replace("completion", "retry_completion")
    ).wordless
    assert parsed({"create_conversation_params": {"model": "m"}, "prompt": "a"}).model == "m"


def test_what_a_title_is_made_of_is_read() -> None:
    request = parsed(
        {"message_content": "Sum it up.", "recent_titles": ["Cats"]}, PATH.replace("completion", "title")
    )
    assert [text for _, text in said(request.slots)] == ["Sum it up.", "Cats"]
    assert said(WEB.parse_answer(b'{"title": "A summary"}').slots) == [(Role.ASSISTANT, "A summary")]


@pytest.mark.parametrize("prompt", [None, ["Sum it up."], {"text": "Sum it up."}])
def test_a_prompt_that_is_not_at_its_place_is_noticed(prompt: object) -> None:
    with pytest.raises(ContentError):
        parsed({**QUESTION, "prompt": prompt})


def test_an_answer_is_one_text_and_thoughts_are_another() -> None:
    events = [
        *answer("Hel", "lo")[:5],
        {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking", "thinking": ""}},
        delta("thinking_delta", "thinking", "Let me ", 1),
        delta("thinking_delta", "thinking", "see", 1),
        delta("thinking_summary_delta", "summary", {"summary": "Seeing"}, 1),
        {"type": "compaction_status", "message": "Getting shorter"},
        *answer()[3:],
    ]
    views = read("claude-web", stream(*events, named=True))
    assert texts(views) == {"block/0/text": "Hello", "block/1/thinking": "Let me see"}
    assert repeats(views) == [(Role.ASSISTANT, "Seeing"), (Role.ASSISTANT, "Getting shorter")]
    assert [view.model for view in views if view.model] == ["claude-sonnet-4-5"]
    assert views[-1].final


def test_an_answer_of_an_older_server_is_read() -> None:
    views = read("claude-web", stream(*completions(" Hel", "lo"), named=True))
    assert texts(views) == {"completion": " Hello"}
    assert (views[-1].final, views[-1].finish_reason) == (True, "stop_sequence")


pieces = st.lists(st.sampled_from([TOY, TOY[:7], TOY[4:], "TOY-", "56", " ", "é", "\n", "and"]), max_size=9)


@pytest.mark.parametrize("form", [answer, completions])
@given(pieces=pieces, size=st.integers(1, 300))
def test_no_page_ever_shows_a_secret_however_it_is_cut(form: object, pieces: list[str], size: int) -> None:
    data = stream(*form(*pieces), named=True)  # type: ignore[operator]
    inspector = StreamInspector(WEB, WEB.stream_reader(ParsedRequest()), toy_scope())
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    sent = b"".join([*(inspector.feed(each) for each in cut), inspector.finish()])
    text = clean = "".join(pieces)
    for finding in reversed(toy_scope().rules.scan(text)):
        clean = clean[: finding.start] + GONE + clean[finding.end :]
    assert heard(sent) == clean
    if clean == text:
        assert sent == data


@pytest.mark.parametrize("form", [answer, completions])
def test_an_answer_that_is_stopped_ends_with_our_words(form: object) -> None:
    inspector = StreamInspector(WEB, WEB.stream_reader(ParsedRequest()), toy_scope())
    events = form("so far ", BOMB, " never")  # type: ignore[operator]
    sent = b"".join(inspector.feed(stream(each, named=True)) for each in events)
    assert inspector.blocked
    assert heard(sent) == f"so far \n\n{inspector.decision().message}"


def test_a_refusal_is_the_error_that_the_page_knows() -> None:
    block = WEB.block("Not here. Ref 1.")
    assert block.status == 403
    assert orjson.loads(block.body) == {
        "type": "error",
        "error": {"type": "permission_error", "message": "Not here. Ref 1."},
    }
