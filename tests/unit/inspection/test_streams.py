"""Streams: nothing that must go ever leaves, and nothing else changes."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest, StreamReader
from agent.dialects.eventstream import MessageDecoder
from agent.errors import ContentError
from agent.inspection import Scope, StreamInspector
from agent.model.decision import Action
from agent.policy import Subject
from tests.fakes.rulebooks import BOMB, CARD, NOTE, TOY, rule_book, toy_policy, toy_scope
from tests.fakes.streams import (
    ARGUMENTS,
    TEXTS,
    AnthropicText,
    ChatArguments,
    ChatText,
    ConverseText,
    GeminiText,
    ResponsesText,
    Voice,
    documents,
    named,
    plain,
)

GONE = "[REDACTED:toy]"
OBSERVING = "mode: observe"

text_voices = pytest.mark.parametrize("voice", TEXTS, ids=lambda voice: voice.dialect)
argument_voices = pytest.mark.parametrize("voice", ARGUMENTS, ids=lambda voice: voice.dialect)
all_voices = pytest.mark.parametrize(
    "voice", [*TEXTS, *ARGUMENTS], ids=lambda voice: f"{type(voice).__name__}-{voice.dialect}"
)

# Words that are secret, that nearly are, and whose pieces add up to one.
words = st.sampled_from(
    [TOY, TOY[:7], TOY[4:], "TOY-", "TO", "Y-1234", "56", f"x{TOY}7", " ", "é", "😀", "\n", "and"]
)
texts = st.lists(words, max_size=12).map("".join)
cuts = st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=8)


def clean(text: str) -> str:
    """What a scan of the whole text leaves of it: nothing that looks like a toy, also where it is broken over lines."""
    for finding in reversed(toy_scope().rules.scan(text)):
        text = text[: finding.start] + GONE + text[finding.end :]
    assert not re.search("TOY-[0-9]{6}", text)
    return text


def inspector(
    voice: Voice, scope: Scope | None = None, *, keep_text: bool = False, whole_events: bool = False
) -> StreamInspector:
    dialect = DIALECTS[voice.dialect]
    return StreamInspector(
        dialect,
        dialect.stream_reader(ParsedRequest(stream=True)),
        scope or toy_scope(),
        keep_text=keep_text,
        whole_events=whole_events,
    )


def cut(text: str, sizes: Iterable[int]) -> list[str]:
    pieces: list[str] = []
    for size in itertools.cycle(sizes):
        if not text:
            return pieces
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def through(judge: StreamInspector, chunks: Iterable[bytes]) -> bytes:
    return b"".join([*map(judge.feed, chunks), judge.finish()])


@all_voices
def test_a_stream_without_findings_passes_byte_by_byte(voice: Voice) -> None:
    stream = b"".join(voice.events(['{"say":"', "nothing ", "secret: ", "TOY-", 'story"}']))
    judge = inspector(voice)
    assert through(judge, [stream[i : i + 7] for i in range(0, len(stream), 7)]) == stream
    assert judge.decision().action is Action.ALLOW


@all_voices
@pytest.mark.parametrize("size", [1, 3])
def test_a_secret_in_small_pieces_never_leaves(voice: Voice, size: int) -> None:
    text = json.dumps({"say": f"the key is {TOY}, keep it"})
    judge = inspector(voice)
    out = through(judge, voice.events(cut(text, [size])))
    assert voice.heard(out) == clean(text)
    assert TOY.encode() not in out
    assert judge.decision().action is Action.REDACT
    assert [hit.count for hit in judge.decision().hits] == [1]


@text_voices
@given(text=texts, sizes=cuts, chunks=cuts)
def test_however_a_stream_is_cut_the_client_reads_the_same(
    voice: Voice, text: str, sizes: list[int], chunks: list[int]
) -> None:
    stream = b"".join(voice.events(cut(text, sizes)))
    starts = itertools.accumulate(itertools.cycle([size * 11 for size in chunks]), initial=0)
    edges = [*itertools.takewhile(lambda at: at < len(stream), starts), len(stream)]
    out = through(inspector(voice), [stream[a:b] for a, b in itertools.pairwise(edges)])
    assert voice.heard(out) == clean(text)
    assert all(again == clean(text) for again in voice.repeated(out))


@text_voices
@given(text=texts, sizes=cuts)
def test_what_was_sent_early_is_never_taken_back(voice: Voice, text: str, sizes: list[int]) -> None:
    judge, sent = inspector(voice), b""
    expected = clean(text)
    for event in voice.events(cut(text, sizes)):
        sent += judge.feed(event)
        assert expected.startswith(voice.heard(sent))


@argument_voices
@given(
    value=st.lists(st.one_of(words, st.sampled_from(['"', "\\", "\t", "\x00"])), max_size=10).map("".join),
    ascii_only=st.booleans(),
    sizes=cuts,
)
def test_arguments_stay_json_and_lose_their_secrets(
    voice: Voice, value: str, ascii_only: bool, sizes: list[int]
) -> None:
    arguments = json.dumps({"command": value, "count": 3, "more": [value]}, ensure_ascii=ascii_only)
    out = through(inspector(voice), voice.events(cut(arguments, sizes)))
    spared = clean(value)
    assert json.loads(voice.heard(out)) == {"command": spared, "count": 3, "more": [spared]}
    assert all(json.loads(again)["command"] == spared for again in voice.repeated(out))


@argument_voices
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_secret_spelled_with_escapes_is_read_as_the_tool_reads_it(voice: Voice, size: int) -> None:
    arguments = '{"command": "echo TOY-\\u0031\\u00323456 \\n"}'
    assert json.loads(arguments) == {"command": f"echo {TOY} \n"}
    out = through(inspector(voice), voice.events(cut(arguments, [size])))
    assert voice.heard(out) == f'{{"command": "echo {GONE} \\n"}}'


@argument_voices
@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_number_that_must_go_becomes_a_string(voice: Voice, size: int) -> None:
    arguments = f'{{"card": {CARD}, "n": 1}}'
    out = through(inspector(voice), voice.events(cut(arguments, [size])))
    assert json.loads(voice.heard(out)) == {"card": "[REDACTED:card]", "n": 1}


@argument_voices
def test_arguments_that_end_within_an_escape_pass_as_they_came(voice: Voice) -> None:
    events = voice.events(['{"a":"b', "\\u00"])
    assert through(inspector(voice), events) == b"".join(events)


@text_voices
def test_only_the_events_that_hold_the_secret_are_rewritten(voice: Voice) -> None:
    pieces = ["one ", "two ", f"{TOY[:5]}", f"{TOY[5:]} three", " four"]
    before, after = voice.events(pieces), through(inspector(voice), voice.events(pieces))
    untouched = [voice.piece(piece) for piece in ("one ", "two ", " four")]
    assert all(event in after for event in untouched)
    assert [event for event in before if event not in after][:2] == [
        voice.piece(TOY[:5]),
        voice.piece(f"{TOY[5:]} three"),
    ]


def test_choices_side_by_side_are_scanned_each_for_itself() -> None:
    one, two = ChatText(choice=0), ChatText(choice=1)
    texts = cut(f"a {TOY} b", [2]), cut("c TOY-12 dddd", [2])
    pairs = zip(map(one.piece, texts[0]), map(two.piece, texts[1]), strict=True)
    events = [
        *itertools.chain(*pairs),
        plain({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        plain({"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]}),
        b"data: [DONE]\n\n",
    ]
    out = through(inspector(one), events)
    assert one.heard(out) == f"a {GONE} b"
    assert two.heard(out) == "c TOY-12 dddd"


def test_halves_in_two_choices_make_no_secret() -> None:
    one, two = ChatText(choice=0), ChatText(choice=1)
    events = [one.piece(TOY[:7]), two.piece(TOY[7:]), b"data: [DONE]\n\n"]
    assert through(inspector(one), events) == b"".join(events)


def test_parallel_tool_calls_are_scanned_each_for_itself() -> None:
    calls = ChatArguments(call=0), ChatArguments(call=1)
    arguments = json.dumps({"a": TOY}), json.dumps({"b": "fine"})
    pieces = [
        call.piece(piece)
        for pair in itertools.zip_longest(cut(arguments[0], [3]), cut(arguments[1], [3]))
        for call, piece in zip(calls, pair, strict=True)
        if piece is not None
    ]
    out = through(inspector(calls[0]), [*pieces, b"data: [DONE]\n\n"])
    assert [json.loads(call.heard(out)) for call in calls] == [{"a": GONE}, {"b": "fine"}]


def test_several_choices_in_one_event_are_rewritten_together() -> None:
    choices = [{"index": n, "delta": {"content": f"{TOY}!"}, "finish_reason": None} for n in (0, 1)]
    out = through(inspector(ChatText()), [plain({"choices": choices}), b"data: [DONE]\n\n"])
    assert [ChatText(choice=n).heard(out) for n in (0, 1)] == [f"{GONE}!"] * 2


def test_what_only_a_repetition_says_is_judged_as_well() -> None:
    done = named(
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": f"{TOY}!"}
    )
    judge = inspector(ResponsesText())
    assert ResponsesText().repeated(through(judge, [done])) == [f"{GONE}!"]
    assert [hit.count for hit in judge.decision().hits] == [1]


def test_a_secret_hidden_in_json_within_repeated_arguments_goes() -> None:
    inner = json.dumps({"cmd": "TOY-\\u0031" + TOY[5:]}).replace("\\\\u", "\\u")
    outer = json.dumps({"script": inner})
    assert TOY not in outer
    item = {"type": "function_call", "name": "run", "arguments": outer}
    out = through(inspector(ResponsesText()), [named({"type": "response.output_item.done", "item": item})])
    (document,) = documents(out)
    assert json.loads(json.loads(document["item"]["arguments"])["script"]) == {"cmd": GONE}


def test_keepalives_overtake_what_is_held_back() -> None:
    voice = AnthropicText()
    ping = named({"type": "ping"})
    judge = inspector(voice)
    held = voice.piece(TOY[:6])
    assert judge.feed(held) == b""
    assert judge.feed(ping) == ping
    assert judge.feed(b": still here\n\n") == b": still here\n\n"
    assert judge.feed(voice.piece(" else")) + judge.finish() == held + voice.piece(" else")


@text_voices
def test_a_block_ends_the_stream_as_its_dialect_does(voice: Voice) -> None:
    judge = inspector(voice)
    events = voice.events(["All well ", "until ", BOMB[:6], BOMB[6:], " and ", "after"])
    sent = b""
    for event in events:
        sent += judge.feed(event)
    assert judge.blocked
    assert judge.feed(voice.piece("more")) == judge.finish() == b""
    decision = judge.decision()
    assert decision.action is Action.BLOCK
    assert decision.rule_ids == ("bombs",)
    assert "Ref REF12345" in decision.message
    assert decision.message in sent.decode()
    if voice.dialect == "anthropic-messages":  # whose ending goes on in the text that is open
        assert voice.heard(sent) == f"All well until \n\n{decision.message}"
        return
    ending = DIALECTS[voice.dialect].stream_reader(ParsedRequest()).block(decision.message)
    if voice.dialect != "openai-responses":  # whose ending repeats ids of the stream
        assert sent.endswith(ending)
    assert voice.heard(sent.removesuffix(ending)) == "All well until "


@text_voices
@given(text=texts, sizes=cuts, together=cuts)
def test_events_that_come_together_are_judged_as_one_by_one(
    voice: Voice, text: str, sizes: list[int], together: list[int]
) -> None:
    events = voice.events(cut(text, sizes))
    alone, joined = inspector(voice), inspector(voice)
    counts = itertools.accumulate(itertools.cycle(together), initial=0)
    edges = [*itertools.takewhile(lambda at: at < len(events), counts), len(events)]
    parts = [b"".join(events[a:b]) for a, b in itertools.pairwise(edges)]
    assert through(joined, parts) == through(alone, events)
    assert joined.decision() == alone.decision()
    assert (joined.chunks, joined.characters) == (alone.chunks, alone.characters)


@all_voices
def test_a_block_among_events_that_come_together_lets_nothing_of_it_out(voice: Voice) -> None:
    judge = inspector(voice)
    events = voice.events(["All well ", "until ", BOMB[:6], BOMB[6:], " and ", "after"])
    sent = judge.feed(b"".join(events))
    assert judge.blocked
    message = judge.decision().message
    assert message in sent.decode()
    assert BOMB not in voice.heard(sent)
    assert "after" not in voice.heard(sent).removesuffix(message)
    assert judge.feed(voice.piece("more")) == judge.finish() == b""


def test_what_came_before_a_block_in_the_same_event_is_held_with_it() -> None:
    judge = inspector(ChatText())
    sent = judge.feed(ChatText().piece(f"before {BOMB}. "))
    assert judge.blocked
    assert b"before" not in sent


def test_a_block_found_only_in_a_repetition_stops_the_stream() -> None:
    judge = inspector(ResponsesText())
    text = named({"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": BOMB})
    assert BOMB.encode() not in judge.feed(text)
    assert judge.blocked


def test_a_block_in_one_choice_stops_all_at_once() -> None:
    one, two = ChatText(choice=0), ChatText(choice=1)
    judge = inspector(one)
    assert judge.feed(one.piece(TOY[:7])) == b""
    sent = judge.feed(two.piece(f"{BOMB} ") + one.piece(TOY[7:]) + one.piece(" tail"))
    assert judge.blocked
    assert b"TOY" not in sent
    assert b"tail" not in sent


class StumblingReader:
    """Reads as its model does, and crashes over one word."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader

    def read(self, event: str, data: bytes) -> EventView:
        if b"stumble" in data:
            raise RuntimeError
        return self._reader.read(event, data)

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        return self._reader.block(message, in_step=in_step)


def stumbled(held: bytes, rest: bytes) -> StreamInspector:
    dialect = DIALECTS["openai-chat"]
    reader = StumblingReader(dialect.stream_reader(ParsedRequest()))
    judge = StreamInspector(dialect, reader, toy_scope())
    assert judge.feed(held) == b""
    with pytest.raises(RuntimeError):
        judge.feed(rest)
    return judge


def test_after_a_crash_the_stream_can_be_let_go_without_losing_a_byte() -> None:
    piece = ChatText().piece
    held, rest = piece(TOY[:6]), piece(TOY[6:]) + piece("stumble") + piece("more") + b"data: half"
    judge = stumbled(held, rest)
    assert judge.release() == held + rest
    assert judge.feed(piece("stumble")) == piece("stumble")
    assert judge.finish() == b""
    assert not judge.blocked


def test_after_a_crash_the_stream_can_be_stopped_with_a_word() -> None:
    piece = ChatText().piece
    judge = stumbled(piece(TOY[:6]), piece("stumble"))
    end = judge.stop("the check failed")
    assert b"the check failed" in end
    assert b"TOY" not in end
    assert judge.blocked
    assert judge.feed(piece("more")) == judge.finish() == b""


@all_voices
def test_observing_records_and_changes_nothing(voice: Voice) -> None:
    events = voice.events(cut(json.dumps({"a": f"{TOY} {BOMB}"}), [3]))
    judge = inspector(voice, toy_scope(OBSERVING))
    assert through(judge, events) == b"".join(events)
    decision = judge.decision()
    assert (decision.action, decision.applied) == (Action.BLOCK, False)
    assert {hit.type for hit in decision.hits} == {"toy", "bomb"}


def test_an_alert_is_recorded_and_the_stream_passes() -> None:
    events = ChatText().events(cut(f"see {NOTE}.", [2]))
    judge = inspector(ChatText())
    assert through(judge, events) == b"".join(events)
    assert judge.decision().action is Action.ALERT


@text_voices
def test_the_end_of_the_upstream_releases_what_was_held(voice: Voice) -> None:
    judge = inspector(voice)
    event = voice.piece("half a TOY-1")
    assert judge.feed(event) == b""
    assert judge.finish() == event


@text_voices
def test_a_last_event_without_its_blank_line_is_judged(voice: Voice) -> None:
    judge = inspector(voice)
    out = judge.feed(voice.piece(f"a {TOY}").removesuffix(b"\n\n")) + judge.finish()
    assert voice.heard(out) == f"a {GONE}"


def test_the_rest_of_an_event_that_broke_off_is_dropped() -> None:
    """Nobody can judge it, and by the standard no client may use it."""
    whole = ChatText().piece("fine")
    judge = inspector(ChatText())
    broken = ChatText().piece(f"a {TOY} and more")[:-20]
    assert TOY.encode() in broken
    assert through(judge, [whole, broken]) == whole


def test_an_event_too_long_to_read_takes_nothing_unread_with_it() -> None:
    judge = inspector(ChatText())
    flood = b"data: " + b"x" * (17 * 1024 * 1024)
    event = ChatText().piece(TOY)
    judge.feed(event[:5])
    with pytest.raises(ContentError):
        judge.feed(event[5:] + flood)
    assert TOY.encode() not in judge.finish()


def test_what_waits_is_bounded() -> None:
    judge = inspector(ChatText())
    judge.feed(ChatText().piece("TOY-1"))
    large = plain({"choices": [], "padding": "x" * (9 * 1024 * 1024)})
    assert judge.feed(large) == b""
    with pytest.raises(ContentError, match="holds back more"):
        judge.feed(large)


def test_unknown_events_pass_in_their_place() -> None:
    voice = AnthropicText()
    unknown = named({"type": "vendor_event", "payload": [1, 2, 3]})
    events = [voice.piece("a"), unknown, b"data: no json\n\n", voice.piece("b")]
    assert through(inspector(voice), events) == b"".join(events)


@text_voices
@pytest.mark.parametrize("oddity", [b"\\ud83d", b"\xff", b"\\ud83d half"], ids=["surrogate", "utf-8", "more"])
def test_an_event_only_lenient_clients_can_read_is_judged_as_text(voice: Voice, oddity: bytes) -> None:
    event = voice.piece(f"odd {TOY}").replace(b"odd", oddity)
    judge = inspector(voice)
    assert through(judge, [event]) == event.replace(TOY.encode(), GONE.encode())
    assert judge.decision().action is Action.REDACT
    stopped = inspector(voice)
    assert BOMB.encode() not in stopped.feed(voice.piece(f"odd {BOMB}").replace(b"odd", oddity))
    assert stopped.blocked


def test_usage_model_and_finish_reason_are_heard() -> None:
    heard = {}
    for voice in TEXTS:
        judge = inspector(voice)
        through(judge, voice.events(["hi"]))
        heard[voice.dialect] = (
            judge.usage.input_tokens,
            judge.usage.output_tokens,
            judge.model,
            judge.finish_reason,
        )
    assert heard == {
        "openai-chat": (3, 5, "m", "stop"),
        "anthropic-messages": (3, 5, "m", "end_turn"),
        "openai-responses": (3, 5, "m", "completed"),
        "gemini-generate-content": (3, 5, "m", "STOP"),
    }


def test_where_no_guardrail_looks_at_answers_chunks_pass_at_once_and_are_still_heard() -> None:
    scope = toy_scope()
    prompts = Scope(rules=scope.rules, subject=scope.subject, guardrails=(), ref="R")
    judge = inspector(GeminiText(), prompts)
    stream = b"".join(GeminiText().events([TOY]))
    assert judge.feed(stream[:50]) == stream[:50]
    assert judge.feed(stream[50:-2]) == stream[50:-2]  # the last event is not ended
    assert judge.finish() == b""
    assert judge.usage.output_tokens == 5


@pytest.mark.parametrize("watched", [True, False])
def test_texts_are_kept_on_request_as_they_came_and_as_they_went(watched: bool) -> None:
    scope = toy_scope()
    guardrails = scope.guardrails if watched else ()
    scope = Scope(rules=scope.rules, subject=scope.subject, guardrails=guardrails, ref="R")
    judge = inspector(ChatText(), scope, keep_text=True)
    through(judge, ChatText().events(cut(f"it is {TOY}.", [2])))
    assert judge.texts() == ([f"it is {TOY}."], [f"it is {GONE if watched else TOY}."])


def test_texts_are_not_kept_unasked() -> None:
    judge = inspector(ChatText())
    through(judge, ChatText().events(["hello"]))
    assert judge.texts() == ([""], [""])


def test_a_key_that_never_ends_is_swallowed_whole() -> None:
    """A match longer than what is held back opens a redaction that grows."""
    scope = toy_scope_of_blocks()
    text = "-----BEGIN TOY-----" + "A" * 20_000 + "-----END TOY-----\nthe rest"
    judge = inspector(ChatText(), scope)
    sent = b"".join(map(judge.feed, map(ChatText().piece, cut(text, [97]))))
    assert sent  # not everything waits for the end
    sent += judge.finish()
    assert ChatText().heard(sent) == "[REDACTED:block]\nthe rest"


def toy_scope_of_blocks() -> Scope:
    policy = """
schema_version: 1
id: blocks
guardrails: [{id: g, detect: [custom/block], action: redact}]
detectors: [{id: block, pattern: '-----BEGIN TOY-----[A-Za-z0-9]*(?:-----END TOY-----)?'}]
"""
    return rule_book(policy).scope(Subject(host="api.openai.com"), ref="R")


def test_the_rule_book_is_kept_when_the_policy_changes_meanwhile() -> None:
    scope = toy_scope()
    judge = inspector(ChatText(), scope)
    judge.feed(ChatText().piece(TOY[:5]))
    assert toy_scope(OBSERVING).rules is not scope.rules
    assert ChatText().heard(judge.feed(ChatText().piece(TOY[5:] + ".")) + judge.finish()) == f"{GONE}."
    assert "observe" not in toy_policy()


def one_guardrail(more: str) -> Scope:
    rules = rule_book(
        f"""
schema_version: 1
id: one
guardrails: [{{id: g, detect: [custom/toy], {more}}}]
detectors: [{{id: toy, pattern: 'TOY-[0-9]{{6}}'}}]
"""
    )
    return rules.scope(Subject(host="api.openai.com"), ref="R")


@all_voices
@pytest.mark.parametrize(
    "action", [action.word for action in Action if action.changes and action is not Action.PSEUDONYMIZE]
)
def test_under_every_action_that_changes_something_the_value_stays_back(voice: Voice, action: str) -> None:
    judge = inspector(voice, one_guardrail(f"action: {action}"))
    out = through(judge, voice.events(cut(json.dumps({"say": f"it is {TOY}."}), [4])))
    assert TOY.encode() not in out
    assert judge.blocked is Action.parse(action).stops


@text_voices
def test_nothing_is_hidden_from_the_user_under_a_stand_in(voice: Voice) -> None:
    judge = inspector(voice, one_guardrail("action: pseudonymize"))
    stream = b"".join(voice.events(cut(f"it is {TOY}.", [4])))
    assert through(judge, [stream]) == stream
    assert judge.decision().action is Action.ALERT


@all_voices
def test_a_guardrail_for_one_speaker_looks_at_no_other(voice: Voice) -> None:
    calls = voice in ARGUMENTS
    text = json.dumps({"say": f"it is {TOY}."})
    for role, expected in (("tool_call", calls), ("assistant", not calls)):
        judge = inspector(voice, one_guardrail(f"action: redact, roles: [{role}]"))
        through(judge, voice.events(cut(text, [5])))
        assert (judge.decision().action is Action.REDACT) is expected


@text_voices
def test_a_guardrail_on_trial_leaves_the_stream_alone(voice: Voice) -> None:
    stream = b"".join(voice.events(cut(f"it is {TOY}.", [4])))
    judge = inspector(voice, one_guardrail("action: block, shadow: true"))
    assert through(judge, [stream]) == stream
    assert [(hit.shadow, hit.action) for hit in judge.decision().hits] == [(True, Action.BLOCK)]


@pytest.mark.parametrize("hidden", [True, False])
def test_counts_that_only_the_gateway_asked_for_are_read_and_not_passed_on(*, hidden: bool) -> None:
    voice = ChatText()
    dialect = DIALECTS[voice.dialect]
    judge = StreamInspector(dialect, dialect.stream_reader(ParsedRequest()), toy_scope(), hide_usage=hidden)
    events = voice.events(["some ", "words"])
    stream = b"".join(events)
    wanted = b"".join(event for event in events if not (hidden and b"usage" in event))
    assert through(judge, [stream[i : i + 5] for i in range(0, len(stream), 5)]) == wanted
    assert (judge.usage.input_tokens, judge.usage.output_tokens) == (3, 5)
    assert judge.characters == len("some words")


@text_voices
@pytest.mark.parametrize("watched", [True, False])
def test_a_stream_has_ended_when_it_says_so(voice: Voice, *, watched: bool) -> None:
    *begun, last = voice.events(["one ", "two"])
    more = begun[-2:] if voice.dialect in ("openai-chat", "anthropic-messages") else []
    judge = plain_inspector(voice) if not watched else inspector(voice)
    through(judge, begun[: len(begun) - len(more)])
    assert not judge.ended
    judge = plain_inspector(voice) if not watched else inspector(voice)
    through(judge, [*begun, last])
    assert judge.ended


@pytest.mark.parametrize(
    ("voice", "event"),
    [
        (ChatText(), plain({"error": {"message": "m"}})),
        (AnthropicText(), named({"type": "error", "error": {"type": "api_error", "message": "m"}})),
        (ResponsesText(), named({"type": "error", "code": "server_error", "message": "m"})),
        (GeminiText(), plain({"error": {"code": 500, "message": "m"}})),
        (GeminiText(), plain({"promptFeedback": {"blockReason": "SAFETY"}})),
    ],
)
def test_an_error_ends_a_stream_as_well(voice: Voice, event: bytes) -> None:
    judge = inspector(voice)
    assert through(judge, [voice.piece("one "), event]).endswith(event)
    assert judge.ended
    assert judge.finish_reason


@text_voices
@pytest.mark.parametrize("size", [1, 5, 100])
@pytest.mark.parametrize("watched", [True, False])
def test_where_more_may_have_to_be_said_only_whole_events_go_out(
    voice: Voice, size: int, *, watched: bool
) -> None:
    half = voice.piece("three")[:-20]
    stream = b"".join(voice.events(["one ", "two"])[:-1]) + half
    judge = inspector(voice, whole_events=True) if watched else plain_inspector(voice, whole_events=True)
    out = b""
    for at in range(0, len(stream), size):
        out += judge.feed(stream[at : at + size])
        assert not out or out.endswith(b"\n\n")
    out += judge.finish()
    assert out == stream.removesuffix(half)


def test_an_end_without_its_blank_line_gets_one() -> None:
    for make in (inspector, plain_inspector):
        judge = make(ChatText(), whole_events=True)
        assert through(judge, [ChatText().piece("one"), b"data: [DONE]"]).endswith(b"data: [DONE]\n\n")
        assert judge.ended


def plain_inspector(voice: Voice, *, whole_events: bool = False) -> StreamInspector:
    """One that looks for nothing."""
    scope = rule_book("schema_version: 1\nid: none").scope(
        Subject(host="h", path="/", surface="s", app=""), ref="REF12345"
    )
    return inspector(voice, scope, whole_events=whole_events)


# Binary messages


@given(text=texts, sizes=cuts, chunks=cuts)
def test_a_stream_of_binary_messages_is_judged_however_it_is_cut(
    text: str, sizes: list[int], chunks: list[int]
) -> None:
    voice = ConverseText()
    stream = b"".join(voice.events(cut(text, sizes)))
    judge = inspector(voice)
    out = b"".join(map(judge.feed, pieces_of(stream, [size * 11 for size in chunks]))) + judge.finish()
    assert voice.heard(out) == clean(text)
    assert TOY.encode() not in out
    assert (judge.usage.input_tokens, judge.usage.output_tokens) == (3, 5)


def test_binary_messages_without_findings_pass_byte_by_byte() -> None:
    stream = b"".join(ConverseText().events(["nothing ", "secret"]))
    assert through(inspector(ConverseText()), [stream[i : i + 7] for i in range(0, len(stream), 7)]) == stream


def test_a_block_ends_a_stream_of_binary_messages() -> None:
    judge = inspector(ConverseText())
    out = through(judge, ConverseText().events(["take ", BOMB]))
    assert judge.blocked
    assert BOMB.encode() not in out
    assert MessageDecoder().feed(out)[-1].kind in ("event", "exception")


def pieces_of(stream: bytes, sizes: list[int]) -> Iterable[bytes]:
    for size in itertools.cycle(sizes):
        if not stream:
            return
        yield stream[:size]
        stream = stream[size:]
