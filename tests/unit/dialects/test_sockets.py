"""The formats of WebSocket messages: what is found in them, edited, and said in them."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects.base import RequestHead
from agent.dialects.sockets import SOCKETS, SocketSession
from agent.dialects.sockets.deltas import DeltaReader
from agent.errors import ContentError
from agent.model.content import NO_USAGE, Edit, Role, Slot, Usage

HEAD = RequestHead(method="GET", path="/", query="model=m")
each_socket = pytest.mark.parametrize("name", sorted(SOCKETS))


def session(name: str) -> SocketSession:
    return SOCKETS[name].session(HEAD)


def doc(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def texts(slots: tuple[Slot, ...]) -> list[tuple[Role, str]]:
    return [(slot.role, slot.text) for slot in slots]


def starred(data: bytes, slots: tuple[Slot, ...], edit: object) -> bytes:
    """The message with each of its texts replaced by stars."""
    edits = tuple(Edit(address=one.address, start=0, end=len(one.text), replacement="***") for one in slots)
    return edit(data, edits)  # type: ignore[operator,no-any-return]


# What all have in common


@each_socket
def test_a_format_is_found_under_its_name(name: str) -> None:
    assert SOCKETS[name].name == name
    assert SOCKETS[name].count(Usage(input_tokens=3)).input in (3, None)


@each_socket
@pytest.mark.parametrize("data", [b"no JSON", b"\xff\xfe", b'{"a": 1, "a": 2}', b'{"a": '])
def test_what_a_client_says_otherwise_is_an_error(name: str, data: bytes) -> None:
    with pytest.raises(ContentError):
        session(name).hear(data)


@each_socket
@pytest.mark.parametrize("data", [b"no JSON", b"\xff\xfe", b'{"a": '])
def test_what_a_service_says_otherwise_is_known_to_be_unread(name: str, data: bytes) -> None:
    assert not session(name).listen(data).readable


@each_socket
@given(data=st.binary(max_size=60))
def test_no_bytes_break_a_session(name: str, data: bytes) -> None:
    made = session(name)
    made.listen(data)
    with suppress(ContentError):
        made.hear(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "type",
                        "event",
                        "item",
                        "response",
                        "session",
                        "arguments",
                        "content",
                        "parts",
                        "delta",
                    ),
                    *("serverContent", "modelTurn", "turn", "candidates", "payload", "v", "p", "message"),
                    *("text", "output"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    ("response.create", "response.done", "session.update", "conversation.item.create", "send", "appendText")
)


@each_socket
@given(value=JSON, kind=KINDS)
def test_no_document_breaks_a_session_and_every_text_found_can_be_edited(
    name: str, value: object, kind: str
) -> None:
    document = {"type": kind, "event": kind, "command": "generate", "arguments": [value], "item": value}
    document |= {
        "response": value,
        "content": [value],
        "serverContent": value,
        "turn": value,
        "payload": value,
    }
    data, made = doc(document), session(name)
    heard = made.hear(data)
    assert starred(data, heard.request.slots, made.edit_request).count(b"***") >= len(
        {slot.address for slot in heard.request.slots if len(slot.address) == 1}
    )
    said = made.listen(data)
    slots = (*(delta.slot for delta in said.view.deltas), *said.view.repeats)
    flat = tuple({slot.address: slot for slot in slots if len(slot.address) == 1}.values())
    assert starred(data, flat, made.edit_event).count(b"***") >= len(flat)


@each_socket
def test_a_refusal_says_why_and_is_read_by_the_format_itself(name: str) -> None:
    made = session(name)
    if name == "chatgpt-socket":  # it says nothing before it has seen how the service speaks
        assert made.refusal("x") == ()
        made.listen(doc({"topic_id": "t", "payload": {"payload": {"encoded_item": "data: {}\n\n"}}}))
    for messages in (made.refusal("Not here"), made.failure(429, "Not here"), made.stop("Not here", "turn")):
        assert any(b"Not here" in each for each in messages)
        reader = session(name)
        views = [reader.listen(each) for each in messages]
        assert all(view.readable for view in views)
    assert name in ("openai-realtime", "openai-responses") or any(
        session(name).listen(each).view.final for each in made.stop("Not here", "turn")
    )


# OpenAI Responses


def test_responses_create_is_a_turn_whose_body_is_that_of_http() -> None:
    heard = session("openai-responses").hear(
        doc({"type": "response.create", "model": "gpt-5", "instructions": "be kind", "input": "hello"})
    )
    assert (heard.asks, heard.request.model, heard.request.stream) == (True, "gpt-5", True)
    assert texts(heard.request.slots) == [(Role.SYSTEM, "be kind"), (Role.USER, "hello")]


def test_a_message_of_codex_that_gives_the_model_nothing_passes() -> None:
    heard = session("openai-responses").hear(doc({"type": "response.processed", "response_id": "resp_1"}))
    assert (heard.asks, heard.request.slots, heard.request.attachments) == (False, (), ())


def test_a_message_of_an_unknown_kind_is_read_for_its_texts() -> None:
    heard = session("openai-responses").hear(doc({"type": "response.append", "anything": [{"at": "hi"}]}))
    assert (heard.asks, heard.known) == (False, False)
    assert texts(heard.request.slots) == [(Role.USER, "response.append"), (Role.USER, "hi")]


def test_answers_one_after_the_other_are_read_afresh() -> None:
    made = session("openai-responses")
    for number in (1, 2):
        delta = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x"}
        [piece] = made.listen(doc(delta)).view.deltas
        assert piece.channel == "item/0/content/0"
        usage = {"input_tokens": number, "output_tokens": 2}
        ended = made.listen(doc({"type": "response.completed", "response": {"output": [], "usage": usage}}))
        assert (ended.view.final, ended.view.usage.input_tokens) == (True, number)


def test_a_stopped_answer_goes_on_where_the_services_events_were() -> None:
    made = session("openai-responses")
    made.forwarded(made.hear(doc({"type": "response.create", "model": "gpt-5", "input": "x"})))
    made.listen(doc({"type": "response.created", "sequence_number": 4, "response": {"id": "resp_7"}}))
    [said] = map(json.loads, made.stop("No", ""))
    assert (said["type"], said["sequence_number"]) == ("response.failed", 5)
    assert (said["response"]["id"], said["response"]["model"]) == ("resp_7", "gpt-5")
    assert said["response"]["error"] == {"code": "invalid_prompt", "message": "No"}


# OpenAI Realtime


def test_realtime_reads_what_a_session_is_told() -> None:
    told = {
        "instructions": "be kind",
        "tools": [{"type": "function", "name": "f", "description": "does it"}],
        "audio": {"input": {"transcription": {"model": "whisper", "prompt": "names: Ann"}}},
        "input_audio_transcription": {"prompt": "beta names"},
        "prompt": {"id": "p", "variables": {"who": "Ben"}},
    }
    heard = session("openai-realtime").hear(doc({"type": "session.update", "session": told}))
    assert texts(heard.request.slots) == [
        (Role.SYSTEM, "be kind"),
        (Role.TOOL_CALL, "does it"),
        (Role.SYSTEM, "names: Ann"),
        (Role.SYSTEM, "beta names"),
        (Role.USER, "Ben"),
    ]
    assert (heard.asks, heard.request.model) == (False, "m")


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"role": "user", "content": [{"type": "input_text", "text": "a"}]}, [(Role.USER, "a")]),
        ({"role": "system", "content": [{"type": "input_text", "text": "b"}]}, [(Role.SYSTEM, "b")]),
        ({"role": "user", "content": [{"type": "input_audio", "transcript": "c"}]}, [(Role.USER, "c")]),
        ({"type": "function_call_output", "output": "d"}, [(Role.TOOL_RESULT, "d")]),
        ({"type": "function_call", "name": "f", "arguments": "e"}, [(Role.TOOL_CALL, "e")]),
    ],
)
def test_realtime_reads_every_kind_of_item(item: dict[str, object], expected: list[tuple[Role, str]]) -> None:
    heard = session("openai-realtime").hear(doc({"type": "conversation.item.create", "item": item}))
    assert texts(heard.request.slots) == expected


def test_realtime_asks_with_settings_of_its_own() -> None:
    response = {"instructions": "now", "max_output_tokens": 9, "input": [{"role": "user", "content": []}]}
    heard = session("openai-realtime").hear(doc({"type": "response.create", "response": response}))
    assert (heard.asks, heard.request.max_tokens, texts(heard.request.slots)) == (
        True,
        9,
        [(Role.SYSTEM, "now")],
    )
    bare = session("openai-realtime").hear(doc({"type": "response.create"}))
    assert (bare.asks, bare.request.slots) == (True, ())


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("response.output_text", "text"),
        ("response.text", "text"),
        ("response.output_audio_transcript", "transcript"),
        ("response.audio_transcript", "transcript"),
        ("response.function_call_arguments", "arguments"),
    ],
)
def test_realtime_reads_the_texts_of_an_answer_of_both_versions(kind: str, field: str) -> None:
    made = session("openai-realtime")
    place = {"response_id": "r", "item_id": "i", "content_index": 0}
    said = made.listen(doc({"type": f"{kind}.delta", **place, "delta": "he"}))
    [piece] = said.view.deltas
    assert (said.turn, piece.slot.text, piece.json_fragment) == ("r", "he", field == "arguments")
    whole = made.listen(doc({"type": f"{kind}.done", **place, field: "hello"}))
    assert whole.view.closes == (piece.channel,)
    assert [slot.text for slot in whole.view.repeats] == ["hello"]


def test_realtime_audio_of_an_answer_keeps_its_place_and_is_not_read() -> None:
    said = session("openai-realtime").listen(
        doc({"type": "response.output_audio.delta", "response_id": "r", "delta": "AAAA"})
    )
    assert (said.turn, said.apart, said.view.deltas) == ("r", False, ())


def test_realtime_tells_which_tool_is_called() -> None:
    made = session("openai-realtime")
    item = {"id": "i", "type": "function_call", "name": "Run"}
    made.listen(doc({"type": "response.output_item.added", "response_id": "r", "item": item}))
    place = {"response_id": "r", "item_id": "i"}
    said = made.listen(doc({"type": "response.function_call_arguments.delta", **place, "delta": "{"}))
    assert said.view.deltas[0].slot.tool == "Run"


def test_what_realtime_heard_is_an_answer_of_its_own() -> None:
    made = session("openai-realtime")
    kind = "conversation.item.input_audio_transcription"
    said = made.listen(doc({"type": f"{kind}.delta", "item_id": "i", "content_index": 0, "delta": "hel"}))
    assert (said.turn, said.operation) == ("transcript/i", "audio_transcriptions")
    usage = {"type": "tokens", "input_tokens": 4, "output_tokens": 2}
    ended = made.listen(
        doc({"type": f"{kind}.completed", "item_id": "i", "transcript": "hello", "usage": usage})
    )
    assert (ended.view.final, ended.view.usage.input_tokens) == (True, 4)
    assert texts(ended.view.repeats) == [(Role.USER, "hello")]
    [stopped] = map(json.loads, made.stop("No", "transcript/i"))
    assert (stopped["type"], stopped["item_id"]) == (f"{kind}.failed", "i")


def test_realtime_knows_the_model_from_the_service() -> None:
    made = session("openai-realtime")
    made.listen(doc({"type": "session.created", "session": {"model": "gpt-realtime-2"}}))
    assert made.begun("").model == "gpt-realtime-2"


# Gemini Live


@pytest.mark.parametrize("snake", [False, True])
def test_live_is_read_in_both_spellings(snake: bool) -> None:
    made = session("gemini-live")
    setup = {
        "model": "models/gemini-live",
        ("system_instruction" if snake else "systemInstruction"): "be kind",
    }
    made.forwarded(made.hear(doc({"setup": setup})))
    turn = {"role": "user", "parts": [{"text": "hello"}]}
    content = {"turns": [turn], ("turn_complete" if snake else "turnComplete"): True}
    heard = made.hear(doc({("client_content" if snake else "clientContent"): content}))
    assert (heard.asks, heard.request.model, texts(heard.request.slots)) == (
        True,
        "gemini-live",
        [(Role.USER, "hello")],
    )
    model_turn = {"parts": [{"text": "hm", "thought": True}, {"text": "hi"}]}
    said = made.listen(
        doc(
            {
                ("server_content" if snake else "serverContent"): {
                    ("model_turn" if snake else "modelTurn"): model_turn
                }
            }
        )
    )
    assert [(piece.channel, piece.slot.text) for piece in said.view.deltas] == [
        ("thought", "hm"),
        ("model", "hi"),
    ]


def test_live_text_results_and_pictures() -> None:
    made = session("gemini-live")
    heard = made.hear(doc({"realtimeInput": {"text": "now"}}))
    assert (heard.asks, texts(heard.request.slots)) == (True, [(Role.USER, "now")])
    blob = {"mimeType": "audio/pcm;rate=16000", "data": "AAAA"}
    heard = made.hear(doc({"realtimeInput": {"audio": blob}}))
    assert (heard.asks, [each.kind for each in heard.request.attachments]) == (False, ["audio"])
    results = {"functionResponses": [{"id": "1", "name": "f", "response": {"result": "d"}}]}
    heard = made.hear(doc({"toolResponse": results}))
    assert (heard.asks, texts(heard.request.slots)) == (True, [(Role.TOOL_RESULT, "d")])


def test_live_calls_transcripts_and_the_end() -> None:
    made = session("gemini-live")
    call = {"functionCalls": [{"id": "1", "name": "Run", "args": {"command": "ls"}}]}
    [slot] = made.listen(doc({"toolCall": call})).view.repeats
    assert (slot.role, slot.tool, slot.text) == (Role.TOOL_CALL, "Run", "ls")
    said = made.listen(
        doc({"serverContent": {"outputTranscription": {"text": "so"}, "inputTranscription": {"text": "q"}}})
    )
    assert [(piece.channel, piece.slot.role) for piece in said.view.deltas] == [
        ("spoken", Role.ASSISTANT),
        ("heard", Role.USER),
    ]
    usage = {"promptTokenCount": 3, "responseTokenCount": 5}
    ended = made.listen(doc({"serverContent": {"turnComplete": True}, "usageMetadata": usage}))
    assert (ended.view.final, ended.view.usage.output_tokens) == (True, 5)


def test_attachments_are_summed_until_a_turn_is_asked() -> None:
    made = session("gemini-live")
    for _ in range(3):
        made.forwarded(
            made.hear(doc({"realtimeInput": {"audio": {"mimeType": "audio/pcm", "data": "A" * 400}}}))
        )
    [audio] = made.begun("").attachments
    assert (audio.kind, audio.media_type, audio.size) == ("audio", "audio/pcm", 900)
    made.forwarded(made.hear(doc({"realtimeInput": {"text": "now"}})))
    assert made.begun("").attachments == ()


# The chats


def test_copilot_reads_prompts_and_pieces() -> None:
    made = session("microsoft-copilot")
    parts = [{"type": "text", "text": "hello"}, {"type": "image", "url": "https://x.example/a.png"}]
    heard = made.hear(doc({"event": "send", "conversationId": "c1", "content": parts, "mode": "smart"}))
    assert (heard.asks, heard.request.model, heard.request.conversation) == (True, "smart", "c1")
    assert texts(heard.request.slots) == [(Role.USER, "hello")]
    assert [each.kind for each in heard.request.attachments] == ["image"]
    made.listen(doc({"event": "startMessage", "messageId": "m7"}))
    [piece] = made.listen(doc({"event": "appendText", "messageId": "m7", "text": "hi"})).view.deltas
    assert piece.slot.text == "hi"
    assert made.listen(doc({"event": "done", "messageId": "m7"})).view.final
    assert all(json.loads(each)["messageId"] == "m7" for each in made.stop("No", ""))


def test_m365_edits_each_record_by_itself() -> None:
    made = session("m365-copilot")
    call = doc({"type": 4, "target": "chat", "arguments": [{"message": {"text": "hello"}, "tone": "Magic"}]})
    data = b'{"type":6}\x1e' + call + b"\x1e"
    heard = made.hear(data)
    assert (heard.asks, heard.request.model) == (True, "Magic")
    assert texts(heard.request.slots) == [(Role.USER, "hello"), (Role.USER, "Magic")]
    edited = made.edit_request(
        data, (Edit(address=heard.request.slots[0].address, start=0, end=5, replacement="*"),)
    )
    assert edited == data.replace(b"hello", b"*")
    assert made.listen(b'{"type":6}\x1e').apart
    assert made.listen(b'{"type":3,"invocationId":"0"}\x1e').view.final
    update = doc({"type": 1, "target": "update", "arguments": [{"messages": [{"text": "all so far"}]}]})
    assert texts(made.listen(update + b"\x1e").view.repeats) == [(Role.ASSISTANT, "all so far")]


def test_character_ai_tells_speakers_apart() -> None:
    made = session("character-ai")
    turn = {"candidates": [{"raw_content": "hello"}]}
    asked = {"command": "create_and_generate_turn", "payload": {"character_id": "bot", "turn": turn}}
    heard = made.hear(doc(asked))
    assert (heard.asks, heard.request.model, texts(heard.request.slots)) == (
        True,
        "bot",
        [(Role.USER, "hello")],
    )
    said = {
        "turn": {"author": {"is_human": True}, "candidates": [{"raw_content": "hello", "is_final": True}]}
    }
    assert not made.listen(doc(said)).view.final
    answer = {
        "turn": {"author": {}, "candidates": [{"raw_content": "hi", "is_final": True}]},
        "command": "update_turn",
    }
    view = made.listen(doc(answer)).view
    assert (view.final, texts(view.repeats)) == (True, [(Role.ASSISTANT, "hi")])


def added(number: int, text: str, *, state: str = "incomplete", chat: int = 42, **more: object) -> object:
    """An update of Poe's about one chat message."""
    message = {"messageId": number, "text": text, "author": "claude", "state": state, **more}
    payload = {"subscription_name": "messageAdded", "unique_id": f"messageAdded:{chat}"}
    return {
        "message_type": "subscriptionUpdate",
        "payload": {**payload, "data": {"messageAdded": message}},
    }


def pushed(*updates: object) -> bytes:
    return doc({"min_seq": 12, "messages": [doc(update).decode() for update in updates]})


def shown(data: bytes) -> dict[str, object]:
    """The chat message of a Poe update."""
    [update] = json.loads(data)["messages"]
    [message] = json.loads(update)["payload"]["data"].values()
    assert isinstance(message, dict)
    return message


def test_poe_says_all_so_far_and_only_what_is_new_is_judged() -> None:
    made = session("poe")
    said = [made.listen(pushed(added(7, text))) for text in ("My", "My key", "My key is")]
    assert [delta.piece for each in said for delta in each.view.deltas] == ["My", " key", " is"]
    assert len({delta.channel for each in said for delta in each.view.deltas}) == 1
    assert {(each.turn, each.apart, each.view.final) for each in said} == {("7", False, False)}
    over = made.listen(pushed(added(7, "My key is", state="complete")))
    assert (over.turn, over.view.final, over.view.finish_reason) == ("7", True, "completed")


def test_poe_names_chat_and_model_of_an_answer_that_nobody_asked_for_here() -> None:
    made = session("poe")
    made.listen(pushed(added(7, "Hi", bot={"displayName": "Claude"})))
    assert (made.begun("7").conversation, made.begun("7").model) == ("42", "Claude")
    assert made.begun("8").conversation == ""


def test_poe_answers_that_begin_anew_are_a_text_of_their_own() -> None:
    made = session("poe")
    views = [made.listen(pushed(added(7, text))).view for text in ("Thinking ...", "The answer")]
    assert [delta.piece for view in views for delta in view.deltas] == ["Thinking ...", "The answer"]
    assert views[1].closes == (views[0].deltas[0].channel,)


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ({"messageCancelled": {"messageId": 7, "textLengthOnCancellation": 2}}, "cancelled"),
        ({"messageStateUpdated": {"messageId": 7, "state": "complete"}}, "completed"),
        ({"messageAdded": {"messageId": 7, "text": "Hi", "state": "error_user_message_too_long"}}, "failed"),
    ],
)
def test_poe_tells_how_an_answer_ended(update: dict[str, object], reason: str) -> None:
    made = session("poe")
    made.listen(pushed(added(7, "Hi")))
    over = made.listen(pushed({"message_type": "subscriptionUpdate", "payload": {"data": update}}))
    assert (over.turn, over.view.final, over.view.finish_reason) == ("7", True, reason)


def test_poe_says_complete_answers_again_with_what_may_be_asked_next() -> None:
    made = session("poe")
    made.listen(pushed(added(7, "Hi", state="complete")))
    again = made.listen(pushed(added(7, "Hi", state="complete", suggestedReplies=["Why?"])))
    assert again.apart
    assert texts(again.view.repeats) == [(Role.ASSISTANT, "Hi"), (Role.ASSISTANT, "Why?")]
    anew = made.listen(pushed(added(7, "Hi", state="incomplete")))
    assert (anew.turn, anew.apart) == ("7", False)


def test_poe_shows_questions_of_the_user_as_theirs() -> None:
    made = session("poe")
    for who in ({"author": "human"}, {"author": None, "authorUser": {"id": "1"}}):
        said = made.listen(pushed(added(6, "What?", state="complete", **who)))
        assert (said.apart, texts(said.view.repeats)) == (True, [(Role.USER, "What?")])


def test_poe_speaks_of_several_answers_in_one_message() -> None:
    made = session("poe")
    made.listen(pushed(added(7, "one")))
    made.listen(pushed(added(8, "two", chat=43)))
    mixed = made.listen(pushed(added(7, "one more"), added(8, "two more", state="complete", chat=43)))
    assert (mixed.turn, mixed.ends, mixed.view.final) == ("8", (), True)
    # the first answer's own turn has not had what stood there: it is given the whole again
    [delta] = made.listen(pushed(added(7, "one more word"))).view.deltas
    assert (delta.known, delta.piece) == (0, "one more word")
    over = made.listen(pushed(added(7, "x", state="complete"), added(9, "y", state="complete")))
    assert (over.turn, over.ends) == ("7", ("9",))


def test_poe_is_told_to_show_our_words_in_the_place_of_the_answer() -> None:
    made = session("poe")
    more: dict[str, object] = {"id": "TWVzc2FnZTo3", "linkifiedText": "a secret", "hint": "a secret"}
    made.listen(pushed(added(7, "a secret", **more)))
    [worded] = made.stop("Not here", "7")
    assert json.loads(worded)["min_seq"] == 12
    message = shown(worded)
    assert (message["id"], message["messageId"], message["state"]) == ("TWVzc2FnZTo3", 7, "complete")
    assert (message["text"], message["linkifiedText"]) == ("Not here", "Not here")
    assert b"a secret" not in worded
    assert json.loads(json.loads(worded)["messages"][0])["payload"]["unique_id"] == "messageAdded:42"


@pytest.mark.parametrize(
    "data",
    [{"messages": [1]}, {"messages": ["no JSON"]}, {"messages": ["[]"]}],
    ids=["number", "text", "list"],
)
def test_poe_updates_that_are_none_are_known_to_be_unread(data: object) -> None:
    assert not session("poe").listen(doc(data)).readable


def test_poe_keeps_a_bounded_number_of_answers() -> None:
    made = session("poe")
    for number in range(200):
        made.listen(pushed(added(number, "Hi", state="complete")))
    assert made.begun("0").conversation == ""
    assert made.begun("199").conversation == "42"


def item(*events: str, topic: str = "conversation-turn-1") -> bytes:
    """A message of ChatGPT's socket with these events in it."""
    text = "".join(f"event: delta\ndata: {each}\n\n" for each in events)
    return doc({"topic_id": topic, "payload": {"payload": {"encoded_item": text}}})


def test_chatgpt_edits_an_event_inside_its_item() -> None:
    made = session("chatgpt-socket")
    data = item('{"p":"/message/content/parts/0","o":"append","v":"one"}', '{"v":"two"}')
    view = made.listen(data).view
    assert [piece.slot.text for piece in view.deltas] == ["one", "two"]
    assert len({piece.channel for piece in view.deltas}) == 1
    edit = Edit(address=view.deltas[1].slot.address, start=0, end=3, replacement='2 "two"\n')
    assert json.loads(made.edit_event(data, (edit,))) == json.loads(
        item('{"p":"/message/content/parts/0","o":"append","v":"one"}', '{"v":"2 \\"two\\"\\n"}')
    )


def test_chatgpt_keeps_turns_apart_by_topic() -> None:
    made = session("chatgpt-socket")
    made.listen(item('{"p":"/message/content/parts/0","o":"append","v":"a"}', topic="t1"))
    assert made.listen(item('{"v":"b"}', topic="t1")).view.deltas[0].slot.text == "b"
    other = made.listen(item('{"v":"c"}', topic="t2"))
    assert (other.turn, other.view.deltas) == ("t2", ())  # it continues nothing
    assert made.listen(
        doc({"topic_id": "t1", "payload": {"payload": {"encoded_item": "data: [DONE]\n\n"}}})
    ).view.final


def test_chatgpt_hears_arrays() -> None:
    heard = session("chatgpt-socket").hear(
        doc([{"id": 1, "command": {"type": "subscribe", "message": "hi"}}])
    )
    assert not heard.known
    assert texts(heard.request.slots) == [(Role.USER, "subscribe"), (Role.USER, "hi")]


@pytest.mark.parametrize(
    ("event", "deltas", "repeats"),
    [
        ({"p": "/message/content/parts/0", "o": "append", "v": "a"}, ["a"], []),
        ({"p": "/message/content/parts/0", "o": "replace", "v": "b"}, [], ["b"]),
        ({"p": "/message/status", "o": "replace", "v": "finished"}, [], []),
        (
            {"p": "", "o": "patch", "v": [{"p": "/message/content/parts/0", "o": "append", "v": "c"}]},
            ["c"],
            [],
        ),
        ({"p": "", "o": "add", "v": {"message": {"content": {"parts": ["d"]}}}}, [], ["d"]),
        ({"message": {"content": {"parts": ["e"]}}}, [], ["e"]),
        ({"type": "title_generation", "title": "f"}, [], ["f"]),
    ],
)
def test_delta_encoding_is_read_by_path_and_operation(
    event: dict[str, object], deltas: list[str], repeats: list[str]
) -> None:
    view = DeltaReader().read("delta", doc(event))
    assert [piece.slot.text for piece in view.deltas] == deltas
    assert list(dict.fromkeys(slot.text for slot in view.repeats)) == repeats
    assert view.usage is NO_USAGE
