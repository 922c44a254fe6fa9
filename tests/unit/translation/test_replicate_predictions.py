"""Replicate's predictions: what is asked, how far one is, answers and streams."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Conversation,
    Effort,
    Ended,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    PartDelta,
    PartEnded,
    PartKind,
    PartStarted,
    Reasoning,
    Reply,
    Sampling,
    Speaker,
    Started,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    Tool,
    Turn,
)
from agent.translation.base import Losses, Promise, Untranslatable
from agent.translation.replicate_predictions import ReplicatePredictions

FORMAT = ReplicatePredictions()
LLAMA = "meta/meta-llama-3-8b-instruct"
PNG = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAAA")

# As the HTTP API reference shows a prediction of a language model.
STARTING = {
    "id": "gm3qorzdhgbfurvjtvhg6dckhu",
    "model": LLAMA,
    "version": "hidden",
    "input": {"prompt": "Hi"},
    "logs": "",
    "output": None,
    "data_removed": False,
    "error": None,
    "status": "starting",
    "created_at": "2026-01-01T00:00:01.000Z",
    "urls": {
        "cancel": "https://api.replicate.com/v1/predictions/gm3q/cancel",
        "get": "https://api.replicate.com/v1/predictions/gm3q",
        "stream": "https://stream.replicate.com/v1/files/abc",
    },
}
DONE = {
    **STARTING,
    "status": "succeeded",
    "output": ["Hel", "lo", "!"],
    "metrics": {"input_token_count": 12, "output_token_count": 3, "predict_time": 0.2},
}


def turn(text: str, speaker: Speaker = Speaker.USER) -> Turn:
    return Turn(speaker=speaker, parts=(Text(text=text),))


def talk(*turns: Turn, model: str = LLAMA) -> Conversation:
    return Conversation(model=model, turns=turns or (turn("Hi"),))


def asked(conversation: Conversation, *, drop: bool = False) -> tuple[dict[str, object], tuple[str, ...]]:
    losses = Losses(target="Replicate", drop=drop)
    body = orjson.loads(FORMAT.write_request(conversation, losses).body)
    return body, losses.settle()


def test_one_turn_is_the_prompt_and_the_system_has_its_place() -> None:
    body, _ = asked(talk(turn("Be brief.", Speaker.SYSTEM), turn("Hi")))
    assert body == {"input": {"prompt": "Hi", "system_prompt": "Be brief."}}


def test_several_turns_stand_below_each_other() -> None:
    body, _ = asked(talk(turn("Hi"), turn("Hello!", Speaker.ASSISTANT), turn("Who are you?")))
    assert body["input"] == {"prompt": "User: Hi\n\nAssistant: Hello!\n\nUser: Who are you?\n\nAssistant:"}


def test_the_model_goes_on_with_what_it_has_begun() -> None:
    body, _ = asked(talk(turn("Count"), turn("One, two,", Speaker.ASSISTANT)))
    assert body["input"] == {"prompt": "User: Count\n\nAssistant: One, two,"}


def test_a_family_without_a_system_prompt_is_told_in_the_prompt() -> None:
    conversation = talk(turn("Be brief.", Speaker.SYSTEM), turn("Hi"), model="deepseek-ai/deepseek-r1")
    assert asked(conversation)[0]["input"] == {"prompt": "Be brief.\n\nHi"}


def test_a_version_is_named_in_the_body_and_a_stream_is_asked_for() -> None:
    conversation = replace(talk(model="me/mine:5c7d5dc6"), stream=True)
    assert asked(conversation)[0] == {
        "version": "me/mine:5c7d5dc6",
        "stream": True,
        "input": {"prompt": "Hi"},
    }


@pytest.mark.parametrize(
    ("model", "sampling", "wanted"),
    [
        (
            LLAMA,
            Sampling(max_tokens=9, temperature=0.2, top_k=4, seed=1, stop=("a", "b")),
            {"max_tokens": 9, "temperature": 0.2, "top_k": 4, "seed": 1, "stop_sequences": "a,b"},
        ),
        ("openai/gpt-5", Sampling(max_tokens=9, top_p=0.5), {"max_completion_tokens": 9, "top_p": 0.5}),
        ("google/gemini-2.5-flash", Sampling(max_tokens=9), {"max_output_tokens": 9}),
        ("anthropic/claude-4-sonnet", Sampling(max_tokens=2048, temperature=1.0), {"max_tokens": 2048}),
        ("somebody/model", Sampling(temperature=0.5), {"temperature": 0.5}),
    ],
)
def test_a_family_has_names_of_its_own(model: str, sampling: Sampling, wanted: dict[str, object]) -> None:
    body, dropped = asked(replace(talk(model=model), sampling=sampling))
    assert body["input"] == {"prompt": "Hi", **wanted}
    assert dropped == ()


def test_pictures_go_where_the_family_takes_them() -> None:
    pictured = Turn(speaker=Speaker.USER, parts=(Text(text="What is this?"), PNG, PNG))
    body, _ = asked(talk(pictured, model="openai/gpt-4o"))
    assert body["input"] == {"prompt": "What is this?", "image_input": ["data:image/png;base64,AAAA"] * 2}
    one = Turn(speaker=Speaker.USER, parts=(Text(text="What is this?"), PNG))
    body, _ = asked(talk(one, model="anthropic/claude-4-sonnet"))
    assert body["input"] == {"prompt": "What is this?", "image": "data:image/png;base64,AAAA"}
    with pytest.raises(Untranslatable, match=r"turns\[0\]\.parts\[2\]"):
        asked(talk(pictured, model="anthropic/claude-4-sonnet"))


def test_effort_is_for_those_that_think() -> None:
    thinking = Reasoning(effort=Effort.LOW)
    body, _ = asked(replace(talk(model="openai/o4-mini"), reasoning=thinking))
    assert body["input"] == {"prompt": "Hi", "reasoning_effort": "low"}
    with pytest.raises(Untranslatable, match="reasoning"):
        asked(replace(talk(), reasoning=thinking))


def test_thoughts_of_others_are_left_out() -> None:
    said = Turn(speaker=Speaker.ASSISTANT, parts=(Thinking(text="Hm."), Text(text="Yes.")))
    assert "Hm." not in str(asked(talk(turn("Hi"), said, turn("Why?")))[0])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tools": (Tool(name="look"),)}, "tools"),
        ({"output": OutputFormat(kind=OutputKind.JSON)}, "output"),
        ({"sampling": Sampling(logprobs=True)}, "sampling.logprobs"),
        ({"sampling": Sampling(choices=2)}, "sampling.choices"),
        ({"sampling": Sampling(stop=("a,b",))}, "sampling.stop"),
        ({"turns": (Turn(speaker=Speaker.USER, parts=(PNG,)),)}, "turns[0].parts[0]"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name_or_dropped(change: dict[str, object], named: str) -> None:
    conversation = replace(talk(), **change)  # type: ignore[arg-type]
    with pytest.raises(Untranslatable) as refused:
        asked(conversation)
    assert refused.value.fields == (named,)
    assert asked(conversation, drop=True)[1] == (named,)


def test_a_promise_says_where_it_goes_on() -> None:
    urls = STARTING["urls"]
    assert isinstance(urls, dict)
    told = FORMAT.read_promise(orjson.dumps(STARTING))
    assert told == Promise(stream=urls["stream"], poll=urls["get"], cancel=urls["cancel"])
    assert FORMAT.read_promise(orjson.dumps(DONE)).over


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        ("failed", "CUDA out of memory", "CUDA out of memory"),
        ("canceled", None, "the prediction is canceled"),
    ],
)
def test_a_prediction_that_came_to_nothing(status: str, error: str | None, said: str) -> None:
    told = FORMAT.read_promise(orjson.dumps({**STARTING, "status": status, "error": error}))
    assert (told.failed, told.over) == (said, False)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"status":"asleep"}', b"<html>"])
def test_what_is_no_prediction_is_refused(body: bytes) -> None:
    with pytest.raises(ContentError):
        FORMAT.read_promise(body)
    with pytest.raises(ContentError):
        FORMAT.read_answer(body)


@pytest.mark.parametrize(
    ("output", "text"), [(["Hel", "lo"], "Hello"), ("Hello", "Hello"), (None, ""), ({"a": 1}, '{"a":1}')]
)
def test_an_answer_is_a_text_or_its_pieces(output: object, text: str) -> None:
    reply = FORMAT.read_answer(orjson.dumps({**DONE, "output": output}))
    assert reply.choices[0].parts == (Text(text=text),)


def test_an_answer_counts_its_tokens() -> None:
    reply = FORMAT.read_answer(orjson.dumps(DONE))
    assert isinstance(reply, Reply)
    assert (reply.id, reply.model, reply.usage) == (STARTING["id"], LLAMA, TokenCount(input=12, output=3))
    assert reply.created == 1767225601


def events(stream: bytes, cuts: list[int]) -> list[object]:
    source, told, at = FORMAT.stream_source(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        told += source.feed(stream[at:cut])
        at = max(at, cut)
    return [*told, *source.finish()]


STREAM = (
    b"event: output\nid: 1690212292:0\ndata: Once\n\n"
    b": hi\n\nevent: output\nid: 1690212293:0\ndata:  upon\ndata: \n\n"
    b"event: logs\ndata: loading\n\n"
    b"event: done\nid: 1690212294:0\ndata: {}\n\n"
)
TOLD = [
    Started(),
    PartStarted(part=0, kind=PartKind.TEXT),
    PartDelta(part=0, text="Once"),
    PartDelta(part=0, text=" upon\n"),
    PartEnded(part=0),
    ChoiceEnded(),
    Ended(),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_says_the_same_however_it_is_cut(cuts: list[int]) -> None:
    assert events(STREAM, cuts) == TOLD


@pytest.mark.parametrize(
    ("stream", "failed"),
    [
        (b'event: error\ndata: {"detail": "no memory"}\n\n', StreamFailed(message="no memory", kind="error")),
        (b"event: error\ndata: no memory\n\n", StreamFailed(message="no memory", kind="error")),
        (
            b'event: done\ndata: {"reason": "canceled"}\n\n',
            StreamFailed(message="the prediction ended: canceled", kind="canceled"),
        ),
    ],
)
def test_a_stream_that_fails_says_why(stream: bytes, failed: StreamFailed) -> None:
    assert events(stream + b"event: output\ndata: late\n\n", []) == [failed]


def test_a_stream_without_words_has_ended_all_the_same() -> None:
    assert events(b"event: done\ndata: {}\n\n", []) == [Started(), ChoiceEnded(), Ended()]
