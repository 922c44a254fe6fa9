"""One request in the forms in which its candidates want it."""

from __future__ import annotations

import orjson
import pytest

from agent.errors import ContentError
from agent.gateway.unified.forms import Forms, wants_usage
from agent.gateway.unified.routebook import RouteBook
from agent.telemetry.trace_context import accept
from agent.translation.base import Untranslatable
from tests.unit.gateway.unified.conftest import asked, book_of, candidate, forms

CHAT = b'{"model":"local/small","messages":[{"role":"user","content":"hi"}],"x_unknown":1.50}'
GEMINI = {
    "dialect": "gemini-generate-content",
    "path": "/v1beta/models/gemini/gemini-2.5-flash:generateContent",
    "model": "gemini/gemini-2.5-flash",
}


def test_the_same_format_keeps_its_bytes_but_for_the_models_name(book: RouteBook) -> None:
    made = forms(book, CHAT).prepare(candidate(book, "local/small"))
    assert made.body == CHAT.replace(b"local/small", b"deployed-7")
    assert (made.path, made.dialect, made.source) == (b"/v1/chat/completions", "openai-chat", None)


def test_another_format_is_written_anew_and_only_harmless_headers_go_with_it(book: RouteBook) -> None:
    fields = ((b"content-type", b"application/json"), (b"openai-beta", b"x"), (b"user-agent", b"sdk"))
    body = b'{"model":"a","messages":[{"role":"user","content":"hi"}],"max_tokens":9}'
    made = forms(book, body, fields=fields, max_tokens=9).prepare(
        candidate(book, "anthropic/claude-sonnet-4-5"), bound=7
    )
    assert (made.path, made.dialect) == (b"/v1/messages", "anthropic-messages")
    assert orjson.loads(made.body)["max_tokens"] == 9
    names = {name for name, _ in made.headers}
    assert names == {b"content-type", b"user-agent", b"anthropic-version", b"accept-encoding"}


def test_what_has_no_counterpart_is_refused_or_named(book: RouteBook) -> None:
    claude = candidate(book, "anthropic/claude-sonnet-4-5")
    body = CHAT.replace(b'"x_unknown":1.50', b'"logit_bias":{"1":2}')
    with pytest.raises(Untranslatable):
        forms(book, body).prepare(claude)
    dropping = Forms(asked=asked(body), book=book, drop=True)
    dropping.prepare(claude)
    assert any("logit_bias" in name for name in dropping.dropped[claude.name])


def test_an_operation_that_nobody_there_knows_is_refused(book: RouteBook) -> None:
    with pytest.raises(ContentError):
        forms(book, operation="moderations").prepare(candidate(book, "anthropic/claude-sonnet-4-5"))


@pytest.mark.parametrize(
    ("operation", "added"),
    [("chat", True), ("completions", True), ("images", False), ("audio_speech", False)],
)
def test_counts_are_asked_for_where_streams_can_say_them(
    book: RouteBook, operation: str, *, added: bool
) -> None:
    request = forms(book, b'{"model":"local/small"}', operation=operation, stream=True, usage_wanted=False)
    made = request.prepare(candidate(book, "openai/gpt-5-nano"))
    assert (b"include_usage" in made.body) is added
    assert request.hides_usage is added


def test_a_client_that_wants_no_counts_is_not_asked_twice(book: RouteBook) -> None:
    body = b'{"model":"local/small","stream_options":{"include_usage":false,"include_obfuscation":false}}'
    made = forms(book, body, stream=True, usage_wanted=False).prepare(candidate(book, "openai/gpt-5-nano"))
    assert made.body.count(b"stream_options") == 1
    assert orjson.loads(made.body)["stream_options"] == {"include_usage": True, "include_obfuscation": False}


@pytest.mark.parametrize("section", ["generationConfig", "generation_config"])
def test_a_bound_stands_in_the_spelling_of_its_section(book: RouteBook, section: str) -> None:
    body = orjson.dumps({"contents": [], section: {"temperature": 1, "max_output_tokens": None}})
    made = forms(book, body, **GEMINI).prepare(candidate(book, "gemini/gemini-2.5-flash"), bound=9)
    assert orjson.loads(made.body) == {"contents": [], section: {"temperature": 1, "maxOutputTokens": 9}}


def test_a_clients_own_bound_stays(book: RouteBook) -> None:
    made = forms(book, CHAT, max_tokens=5).prepare(candidate(book, "local/small"), bound=9)
    assert b"max_" not in made.body


@pytest.mark.parametrize(
    ("query", "sent"),
    [(b"alt=sse", b"alt=sse"), (b"", b""), (b"key=AIza&alt=sse", b"alt=sse"), (b"$httpHeaders=a", b"")],
)
def test_a_client_says_itself_in_which_frames_it_wants_a_stream(
    book: RouteBook, query: bytes, sent: bytes
) -> None:
    request = forms(book, b'{"contents":[]}', stream=True, query=query, **GEMINI)
    assert request.prepare(candidate(book, "gemini/gemini-2.5-flash")).query == sent


def test_only_our_own_houses_are_told_the_trace(book: RouteBook) -> None:
    private = book_of("telemetry: {propagate: false}")
    trace = accept((), exchange_id="01900000-0000-7000-8000-000000000000")
    for propagate in (False, True):
        request = Forms(asked=asked(CHAT), book=private, trace=lambda: trace, propagate=propagate)
        names = {name for name, _ in request.prepare(candidate(private, "local/small")).headers}
        assert (b"traceparent" in names) is propagate


def test_a_form_keeps_everything_but_its_models_name(book: RouteBook) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nopenai/whisper-1\r\n--b--\r\n'
    fields = ((b"content-type", b"multipart/form-data; boundary=b"),)
    request = forms(book, form, operation="audio_transcriptions", fields=fields)
    made = request.prepare(candidate(book, "openai/whisper-1"), bound=9)
    assert made.body == form.replace(b"openai/", b"")
    assert fields[0] in made.headers


def test_a_model_in_a_path_cannot_leave_its_segment(book: RouteBook) -> None:
    request = forms(book, b'{"contents":[]}', **GEMINI)
    made = request.prepare(candidate(book, "gemini/a?b#c/d e"))
    assert made.path == b"/v1beta/models/a%3Fb%23c%2Fd%20e:generateContent"


@pytest.mark.parametrize(
    ("options", "wanted"),
    [(None, False), ({}, False), ({"include_usage": True}, True), ({"include_usage": 1}, False)],
)
def test_counts_are_wanted_where_they_are_asked_for(options: object, *, wanted: bool) -> None:
    assert wants_usage({"stream_options": options}) is wanted
