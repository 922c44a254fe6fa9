"""ChatGPT's pages: what is read in their requests, how their answers are followed, how they are told no."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import ConversationVoice, ParsedRequest, RequestHead
from agent.dialects.chatgpt.delta import DeltaReader
from agent.errors import ContentError
from agent.inspection import StreamInspector
from agent.model.content import Role
from tests.fakes.chat_pages import ChatGPTPage, deltas, event, message, snapshots
from tests.fakes.rulebooks import BOMB, TOY, toy_policy, toy_scope
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, closes, read, repeats, said, texts

WEB, DRAFT = DIALECTS["chatgpt-web"], DIALECTS["chatgpt-draft"]
GONE = "[REDACTED:toy]"
QUESTION = {
    "action": "next",
    "messages": [
        {
            "id": "u-1",
            "author": {"role": "user"},
            "create_time": 1.5,
            "content": {
                "content_type": "multimodal_text",
                "parts": [
                    {
                        "content_type": "image_asset_pointer",
                        "asset_pointer": "sediment://file_1",
                        "width": 4,
                    },
                    "What is in it?",
                ],
            },
            "metadata": {
                "attachments": [
                    {"id": "file_1", "name": "cat.png", "mimeType": "image/png", "size": 7},
                    {"id": "file-2", "name": "a.pdf", "mime_type": "application/pdf"},
                ],
                "system_hints": ["search"],
            },
        }
    ],
    "conversation_id": "conv-1",
    "parent_message_id": "m-0",
    "model": "gpt-5",
    "system_hints": [],
    "history_and_training_disabled": True,
    "supported_encodings": ["v1"],
    "client_contextual_info": {"app_name": "chatgpt.com"},
}
HEAD = RequestHead(method="POST", path="/backend-api/f/conversation")


def parsed(document: object, path: str = HEAD.path) -> ParsedRequest:
    return WEB.parse_request(RequestHead(method="POST", path=path), orjson.dumps(document))


def inspected(chunks: list[bytes], policy: str = "") -> tuple[ChatGPTPage, StreamInspector]:
    scope = toy_scope(toy_policy(policy)) if policy else toy_scope()
    inspector = StreamInspector(WEB, WEB.stream_reader(ParsedRequest()), scope)
    sent = b"".join([*(inspector.feed(chunk) for chunk in chunks), inspector.finish()])
    return ChatGPTPage().read(sent), inspector


def test_a_question_is_read_with_its_files_and_its_conversation() -> None:
    request = parsed(QUESTION)
    assert said(request.slots) == [(Role.USER, "What is in it?")]
    assert (request.model, request.conversation, request.stream) == ("gpt-5", "conv-1", True)
    assert request.files == ("file_1", "file-2")
    assert [(each.kind, each.media_type, each.name) for each in request.attachments] == [
        ("image", "", "sediment://file_1"),
        ("image", "image/png", "cat.png"),
        ("file", "application/pdf", "a.pdf"),
    ]


def test_every_text_of_a_question_can_be_edited() -> None:
    assert_every_slot_can_be_edited("chatgpt-web", QUESTION)


@pytest.mark.parametrize(
    "content",
    [
        {"content_type": "code", "language": "python", "text": "print(1)"},
        {"content_type": "novel", "segments": [{"kind": {"body": "print(1)"}}]},
        {
            "content_type": "tether_quote",
            "url": "https://a.example",
            "domain": "a.example",
            "text": "print(1)",
        },
    ],
)
def test_a_content_is_read_by_its_fields_whatever_its_type(content: object) -> None:
    messages = [{"author": {"role": "user"}, "content": content}]
    assert "print(1)" in [text for _, text in said(parsed({"messages": messages}).slots)]


@pytest.mark.parametrize("messages", ["hello", {"0": {}}, [["hello"]], [5]])
def test_messages_of_another_shape_are_a_content_error(messages: object) -> None:
    with pytest.raises(ContentError):
        parsed({"messages": messages})


def test_a_wish_to_hear_an_answer_again_misses_no_text() -> None:
    assert parsed({"conversation_id": "c", "offset": 3}, "/backend-api/f/conversation/resume").wordless
    assert parsed({"action": "variant", "messages": []}).wordless
    assert not parsed({"action": "next", "turns": ["hello"]}).wordless
    assert not parsed({"action": "variant", "turns": ["my hello"]}).wordless  # it may carry some after all


def test_a_draft_is_read_and_may_be_empty() -> None:
    draft = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["my ke"]}}
    body = orjson.dumps({"action": "next", "partial_query": draft, "conversation_mode": {"kind": "primary"}})
    request = DRAFT.parse_request(HEAD, body)
    assert said(request.slots) == [(Role.USER, "my ke")]
    empty = DRAFT.parse_request(HEAD, orjson.dumps({"action": "next", "model": "gpt-5"}))
    assert empty.wordless
    assert not empty.slots
    assert not DRAFT.parse_request(HEAD, b'{"action": "next", "typed": "my ke"}').wordless
    with pytest.raises(ContentError):
        DRAFT.parse_request(HEAD, b'{"partial_query": "my ke"}')


def test_an_answer_in_deltas_is_one_text() -> None:
    views = read("chatgpt-web", b"".join(deltas(["Hel", "lo", "", " there"])))
    assert list(texts(views).values()) == ["Hello there"]  # not the system's, not the user's
    assert [view.model for view in views if view.model] == ["gpt-5", "gpt-5"]
    assert [view.final for view in views][-2:] == [True, True]
    assert closes(views) == list(texts(views))


def test_snapshots_are_pieces_of_one_text() -> None:
    views = read("chatgpt-web", b"".join(snapshots(["Hel", "lo", " there"])))
    pieces = [delta.piece for view in views for delta in view.deltas]
    assert pieces == ["Hel", "lo", " there", ""]
    assert len({delta.channel for view in views for delta in view.deltas}) == 1


def test_patches_in_patches_and_what_is_left_out_are_followed() -> None:
    inner = [{"p": "/message/content/parts/0", "o": "append", "v": "a"}, {"v": "b"}]
    stream = [
        event({"p": "", "o": "add", "v": message(), "c": 0}, "delta"),
        event({"p": "", "o": "patch", "v": [{"o": "patch", "p": "", "v": inner}]}, "delta"),
        event({"v": [{"p": "/message/content/parts/0", "o": "append", "v": "c"}]}, "delta"),
    ]
    assert list(texts(read("chatgpt-web", b"".join(stream))).values()) == ["abc"]


def test_a_text_that_is_replaced_begins_anew() -> None:
    stream = [
        event({"p": "", "o": "add", "v": message("old"), "c": 0}, "delta"),
        event({"p": "/message/content/parts/0", "o": "replace", "v": "new"}, "delta"),
        event({"o": "append", "v": "er"}, "delta"),
        event({"p": "/message/content/parts", "v": ["second"]}, "delta"),
        event({"p": "/message/content/parts/1", "v": " part"}, "delta"),
    ]
    assert list(texts(read("chatgpt-web", b"".join(stream))).values()) == ["old", "newer", "second part"]


def test_a_text_that_is_cut_is_said_again_as_it_is_left() -> None:
    stream = [
        event({"p": "", "o": "add", "v": message("x😀yTOY-12abc"), "c": 0}, "delta"),
        event({"p": "/message/content/parts/0", "o": "truncate", "v": 10}, "delta"),
        event({"v": 9}, "delta"),
        event({"o": "append", "v": "23456 and on"}, "delta"),
    ]
    page, inspector = inspected(stream)
    plain = ChatGPTPage().read(b"".join(stream)).text
    assert plain == "x😀yTOY-123456 and on"
    assert page.text == f"x😀y{GONE} and on"
    assert inspector.decision().hits[0].count == 1


def test_what_joins_a_running_stream_is_read() -> None:
    views = read("chatgpt-web", event({"v": "lo"}, "delta") + event({"v": " there"}, "delta"))
    assert "".join(texts(views).values()) == "lo there"


def test_what_cannot_be_followed_is_read_all_the_same() -> None:
    stream = [
        event({"p": "", "o": "patch", "v": [{"p": "/message/title", "o": "add", "v": "A title"}]}, "delta"),
        event({"v": "what is this?"}, "delta"),
        event(
            {
                "p": "/message",
                "o": "replace",
                "v": message("whole", status="finished_successfully")["message"],
            },
            "delta",
        ),
        event({"p": "/message/metadata", "o": "add", "v": {"message": "beside it"}}, "delta"),
    ]
    views = read("chatgpt-web", b"".join(stream))
    assert repeats(views) == [(Role.ASSISTANT, text) for text in ("A title", "what is this?", "beside it")]
    assert list(texts(views).values()) == ["whole"]
    assert closes(views) == list(texts(views))


def test_tools_speak_and_are_spoken_to() -> None:
    call = message(recipient="python", content={"content_type": "code", "language": "python", "text": "pri"})
    result = message(
        id="m-2",
        author={"role": "tool", "name": "python"},
        content={"content_type": "execution_output", "text": "42"},
        status="finished_successfully",
    )
    stream = [
        event({"p": "", "o": "add", "v": call, "c": 0}, "delta"),
        event({"p": "/message/content/text", "o": "append", "v": "nt(42)"}, "delta"),
        event({"p": "", "o": "add", "v": result, "c": 1}, "delta"),
    ]
    slots = [delta.slot for view in read("chatgpt-web", b"".join(stream)) for delta in view.deltas]
    assert [(slot.role, slot.tool, slot.text) for slot in slots] == [
        (Role.TOOL_CALL, "python", "pri"),
        (Role.TOOL_CALL, "python", "nt(42)"),
        (Role.TOOL_RESULT, "python", "42"),
    ]


def test_titles_sources_and_errors_are_texts_and_tokens_are_not() -> None:
    sources = {
        "content_references": [{"title": "A page", "snippet": "its words", "url": "https://a.example"}]
    }
    stream = [
        event({"type": "resume_conversation_token", "token": "ey.secret"}),
        event({"type": "input_message", "input_message": message("a question", role="user")["message"]}),
        event({"p": "", "o": "add", "v": message(metadata=sources), "c": 0}, "delta"),
        event({"p": "/message/metadata/search", "o": "add", "v": {"title": "More"}}, "delta"),
        event({"type": "title_generation", "title": "About cats", "conversation_id": "conv-1"}),
        event({"message": None, "conversation_id": None, "error": "It broke."}),
    ]
    assert repeats(read("chatgpt-web", b"".join(stream))) == [
        (Role.ASSISTANT, text) for text in ("A page", "its words", "More", "About cats", "It broke.")
    ]


pieces = st.lists(
    st.sampled_from([TOY, TOY[:7], TOY[4:], "TOY-", "TO", "Y-1234", "56", " ", "é", "😀", "\n", "and"]),
    max_size=9,
)
sizes = st.lists(st.integers(min_value=1, max_value=300), min_size=1, max_size=8)


def chunked(stream: bytes, cuts: list[int]) -> list[bytes]:
    found, at, turn = [], 0, 0
    while at < len(stream):
        found.append(stream[at : at + cuts[turn % len(cuts)]])
        at += cuts[turn % len(cuts)]
        turn += 1
    return found


@pytest.mark.parametrize("form", [deltas, snapshots])
@given(pieces=pieces, cuts=sizes)
def test_no_page_ever_shows_a_secret_however_it_is_cut(
    form: object, pieces: list[str], cuts: list[int]
) -> None:
    stream = b"".join(form(pieces))  # type: ignore[operator]
    text = "".join(pieces)
    page, inspector = inspected(chunked(stream, cuts))
    clean = text
    for finding in reversed(toy_scope().rules.scan(text)):
        clean = clean[: finding.start] + GONE + clean[finding.end :]
    assert page.done
    assert page.text == clean
    assert inspector.characters == len(text)  # each is looked at once, however often it is said
    assert all(TOY not in shown for shown in page.seen)
    assert inspector.decision().hits == () or clean != text


@pytest.mark.parametrize("form", [deltas, snapshots])
def test_a_stream_without_anything_to_hide_passes_as_it_came(form: object) -> None:
    stream = b"".join(form(["Hel", "lo ", "there"]))  # type: ignore[operator]
    inspector = StreamInspector(WEB, WEB.stream_reader(ParsedRequest()), toy_scope())
    assert inspector.feed(stream) + inspector.finish() == stream


@pytest.mark.parametrize("form", [deltas, snapshots])
def test_a_stream_that_is_stopped_ends_as_an_answer_with_our_words(form: object) -> None:
    page, inspector = inspected([*form(["so far ", "so good ", BOMB, " never"])])  # type: ignore[operator]
    assert inspector.blocked
    assert page.done
    assert BOMB not in "".join(page.seen)
    assert [each["status"] for each in page.messages.values()][-1] == "finished_successfully"
    assert page.text.startswith("so far so good")
    assert inspector.decision().message
    assert page.text.endswith(inspector.decision().message)


def test_a_refusal_is_an_answer_in_its_conversation() -> None:
    assert isinstance(WEB, ConversationVoice)
    block = WEB.block_in("Not here. Ref 1.", parsed(QUESTION))
    assert (block.status, dict(block.headers)[b"content-type"]) == (200, b"text/event-stream; charset=utf-8")
    page = ChatGPTPage().read(block.body)
    assert (page.text, page.done) == ("Not here. Ref 1.", True)
    assert json.loads(block.body.split(b"\n")[0].removeprefix(b"data: "))["conversation_id"] == "conv-1"
    assert list(page.messages) != list(ChatGPTPage().read(WEB.block("Not here. Ref 2.").body).messages)


def test_a_draft_is_refused_by_an_error() -> None:
    block = DRAFT.block("Not here.")
    assert (block.status, orjson.loads(block.body)) == (403, {"detail": "Not here."})


def test_a_value_of_any_kind_is_no_error() -> None:
    reader = DeltaReader()
    for operation in ("add", "append", "replace", "remove", "truncate", "patch", "novel"):
        for value in (
            None,
            True,
            5,
            "text",
            [],
            [5, [], {}],
            {},
            {"message": 5},
            {"message": {"content": 5}},
        ):
            for pointer in ("", "/message", "/message/content/parts/0", "/a~1b/~0", "//", 5):
                reader.read({"p": pointer, "o": operation, "v": value})
