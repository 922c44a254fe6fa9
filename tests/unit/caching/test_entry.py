"""Entries are read as they were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caching.entry import Entry, Form, read, written
from agent.model.conversation import Choice, Media, MediaKind, Reply, Text, Thinking, TokenLogprob, ToolCall

REPLY = Reply(
    id="r",
    model="m",
    created=1,
    choices=(
        Choice(
            parts=(
                Thinking(text="Hm", signature="s"),
                Text(text=""),
                Text(text="No.", refusal=True),
                ToolCall(id="", name="f", arguments="{}"),
                Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAAA"),
            ),
            logprobs=(TokenLogprob(token="No", logprob=-0.5, top=(("No", -0.5), ("Yes", -1.0))),),
        ),
    ),
)


@given(st.binary(max_size=50), st.text(max_size=20), st.sampled_from([None, REPLY]), st.booleans())
def test_what_is_written_is_read(body: bytes, prompt: str, reply: Reply | None, streamed: bool) -> None:
    entry = Entry(
        form=Form(dialect="openai-chat", streamed=streamed),
        body=body,
        content_type="application/json",
        reply=reply,
        prompt=prompt,
        rulebook="d",
        model="m",
        provider="p",
        stored_at=1.5,
    )
    assert read(written(entry)) == entry


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"v":2}\n', b"\xff\n", b'{"v":1}\nbody'])
def test_what_another_version_wrote_is_no_entry(data: bytes) -> None:
    assert read(data) is None
