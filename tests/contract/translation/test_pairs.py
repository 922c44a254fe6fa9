"""Every format to every other: what a client says arrives at the provider, and its answer at the client.

The values are made by Hypothesis and first brought to what the first format can say; whatever the second one loses it
must have named.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agent.model.conversation import Conversation, Reply, StreamEvent
from agent.translation.base import Losses, Translator
from agent.translation.registry import TRANSLATORS
from tests.contract.translation.meaning import answered, captioned, meaning, path_for, without
from tests.fakes.conversations import chunkings, conversations, folded, read, replies, streams, written

EACH = pytest.mark.parametrize("first", TRANSLATORS, ids=lambda translator: translator.name)
MODELS = ["m", "claude-sonnet-4-5", "gemini-3-pro-preview", "gpt-5", "anthropic.claude-3-5-haiku-v1:0"]
FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def spoken(translator: Translator, conversation: Conversation) -> tuple[Conversation, tuple[str, ...]]:
    """The conversation as it comes out of the format, and what was lost on the way."""
    losses = Losses(target=translator.name, drop=True)
    body = translator.write_request(conversation, losses).body
    path, query = path_for(translator, conversation.model, stream=conversation.stream)
    return translator.read_request(path, query, body), losses.settle()


@EACH
@FEW
@given(conversation=conversations(), model=st.sampled_from(MODELS), stream=st.booleans())
def test_a_request_keeps_its_meaning_at_every_provider(
    first: Translator, conversation: Conversation, model: str, stream: bool
) -> None:
    asked, _ = spoken(first, captioned(replace(conversation, stream=stream)))
    assert asked.unread == (), "a writer writes nothing that its reader does not know"
    assume(meaning(asked).turns)  # it may all be lost

    for second in TRANSLATORS:
        arrived, lost = spoken(second, replace(asked, model=model))
        assert arrived.unread == (), second.name
        assert meaning(arrived) == meaning(without(asked, lost)), second.name
        assert arrived.model == model, second.name


@EACH
@FEW
@given(reply=replies())
def test_an_answer_keeps_its_meaning_at_every_client(first: Translator, reply: Reply) -> None:
    made = first.read_answer(first.write_answer(reply))
    assert answered(made) == answered(reply)
    for second in TRANSLATORS:
        assert answered(second.read_answer(second.write_answer(made))) == answered(made), second.name


@EACH
@FEW
@given(events=streams(overlapping=True), data=st.data())
def test_a_stream_keeps_its_meaning_at_every_client(
    first: Translator, events: tuple[StreamEvent, ...], data: st.DataObject
) -> None:
    asked = Conversation(model="m", turns=(), stream=True)
    sent = written(first.stream_sink(asked), events)
    made = read(first.stream_source(), data.draw(chunkings(sent)))
    assert answered(folded(made)) == answered(folded(events))
    for second in TRANSLATORS:
        shown = written(second.stream_sink(asked), made)
        assert answered(folded(read(second.stream_source(), [shown]))) == answered(folded(made)), second.name


@pytest.mark.parametrize("first", TRANSLATORS, ids=lambda translator: translator.name)
@FEW
@given(events=streams(overlapping=True), data=st.data())
def test_a_stream_reads_the_same_however_it_is_chunked(
    first: Translator, events: tuple[StreamEvent, ...], data: st.DataObject
) -> None:
    sent = written(first.stream_sink(Conversation(model="m", turns=())), events)
    assert folded(read(first.stream_source(), data.draw(chunkings(sent)))) == folded(
        read(first.stream_source(), [sent])
    )
