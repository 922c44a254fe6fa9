"""Answers of chat pages, inspected while they stream: pieces, texts that grow, padding, envelopes, lengths."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.dialects.base import ParsedRequest, RequestHead
from agent.dialects.webshape.envelopes import envelope
from agent.inspection import StreamInspector, inspect_answer, inspect_request
from agent.inspection.formats import bundled_dialects
from agent.model.decision import Action
from tests.contract.webshapes.test_shapes import foreign, texts
from tests.fakes.rulebooks import BOMB, TOY, toy_scope

GONE = "[REDACTED:toy]"
words = st.sampled_from(
    [TOY, TOY[:7], TOY[4:], "TOY-", "1234", "56", f"x{TOY}7", " ", "é", "😀", '"', "\n", "and"]
)
pieces = st.lists(st.lists(words, min_size=1, max_size=3).map("".join), min_size=1, max_size=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How a page's service streams pieces of a text, and what the page makes of the documents that it is sent."""

    shape: str
    stream: Callable[[list[str]], bytes]
    heard: Callable[[list[object]], str]

    def read(self, out: bytes) -> str:
        return self.heard(list(foreign(bundled_dialects()[self.shape].shape.answer.framing, out)))  # type: ignore[attr-defined]


def sse(*events: object) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def lines(*documents: object) -> bytes:
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in documents)


def batch(*documents: object) -> bytes:
    written = (json.dumps(each) for each in documents)
    return b")]}'\n\n" + b"".join(f"{len(each) + 2}\n{each}\n".encode() for each in written)


def deep(document: object, *path: str | int) -> object:
    for step in path:
        if isinstance(document, dict):
            document = document.get(step)
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return None
    return document


def joined(*path: str | int) -> Callable[[list[object]], str]:
    return lambda documents: "".join(str(deep(each, *path) or "") for each in documents)


def last(*path: str | int) -> Callable[[list[object]], str]:
    return lambda documents: next(
        (str(found) for each in reversed(documents) if (found := deep(each, *path))), ""
    )


def growing(parts: list[str]) -> Iterator[str]:
    return accumulate(parts)


def perplexity(documents: list[object]) -> str:
    return "".join(
        str(patch["value"])
        for each in documents
        for block in (deep(each, "blocks") or [])  # type: ignore[attr-defined]
        for patch in block["diff_block"]["patches"]
    )


PAGES = (
    Page(
        shape="perplexity-web",
        stream=lambda parts: sse(
            *(
                {
                    "blocks": [
                        {
                            "intended_usage": "ask_text",
                            "diff_block": {
                                "field": "markdown_block",
                                "patches": [{"op": "add", "path": f"/chunks/{at}", "value": part}],
                            },
                        }
                    ]
                }
                for at, part in enumerate(parts)
            )
        ),
        heard=perplexity,
    ),
    Page(
        shape="deepseek-web",
        stream=lambda parts: sse(
            {"p": "response/fragments/-1/content", "o": "APPEND", "v": parts[0]},
            *({"v": part} for part in parts[1:]),
        ),
        heard=joined("v"),
    ),
    Page(
        shape="grok-web",
        stream=lambda parts: lines(*({"result": {"response": {"token": part}}} for part in parts)),
        heard=joined("result", "response", "token"),
    ),
    Page(
        shape="kimi-web",
        stream=lambda parts: b"".join(
            envelope(0, json.dumps({"op": "append", "block": {"text": {"content": part}}}).encode())
            for part in parts
        ),
        heard=joined("block", "text", "content"),
    ),
    Page(
        shape="huggingchat-web",
        stream=lambda parts: lines(
            *({"type": "stream", "token": part + "\0" * (len(part) % 3)} for part in parts)
        ),
        heard=lambda documents: joined("token")(documents).replace("\0", ""),
    ),
    Page(
        shape="mistral-web",
        stream=lambda parts: b"".join(b"0:" + json.dumps(part).encode() + b"\n" for part in parts),
        heard=joined(),
    ),
    Page(
        shape="meta-ai-web",
        stream=lambda parts: lines(
            *(
                {"data": {"node": {"bot_response_message": {"composed_text": {"content": [{"text": text}]}}}}}
                for text in growing(parts)
            )
        ),
        heard=last("data", "node", "bot_response_message", "composed_text", "content", 0, "text"),
    ),
    Page(
        shape="notebooklm-web",
        stream=lambda parts: batch(
            *([["wrb.fr", None, json.dumps([[text, None]])]] for text in growing(parts))
        ),
        heard=lambda documents: next(
            (json.loads(str(deep(each, 0, 2)))[0][0] for each in reversed(documents)), ""
        ),
    ),
    Page(
        shape="blackbox-web",
        stream=lambda parts: "".join(parts).encode(),
        heard=joined(),
    ),
)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.shape)


def inspector(page: Page) -> StreamInspector:
    dialect = bundled_dialects()[page.shape]
    return StreamInspector(dialect, dialect.stream_reader(ParsedRequest()), toy_scope())


def clean(text: str) -> str:
    for finding in reversed(toy_scope().rules.scan(text)):
        text = text[: finding.start] + GONE + text[finding.end :]
    return text


def chunked(stream: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(stream):
            return
        yield stream[at : at + size]
        at += size


@each_page
@given(parts=pieces, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_however_an_answer_is_cut_the_page_shows_the_same(
    page: Page, parts: list[str], sizes: list[int]
) -> None:
    stream = page.stream(parts)
    judge = inspector(page)
    out = b"".join([*map(judge.feed, chunked(stream, sizes)), judge.finish()])
    wanted = clean("".join(parts))
    assert page.read(out) == wanted
    if wanted == "".join(parts):
        assert out == stream


@each_page
@given(parts=pieces)
@example(parts=["so TOY-", "123", "456 on"])
def test_no_beginning_of_a_secret_is_shown_before_it_is_whole(page: Page, parts: list[str]) -> None:
    """Also where the text is told again and again from its beginning."""
    wanted, sent = clean("".join(parts)), b""
    judge = inspector(page)
    for chunk in chunked(page.stream(parts), [17]):
        sent += judge.feed(chunk)
        if page.shape in ("blackbox-web", "meta-ai-web", "grok-web", "huggingchat-web", "mistral-web"):
            whole = sent if page.shape == "blackbox-web" else sent[: sent.rfind(b"\n") + 1]
            assert wanted.startswith(page.read(whole) if whole else "")


@each_page
def test_what_is_blocked_ends_in_the_pages_own_form(page: Page) -> None:
    judge = inspector(page)
    parts = ["fine ", *BOMB, " and more"]
    out = b"".join(map(judge.feed, chunked(page.stream(parts), [23])))
    assert judge.blocked
    assert BOMB.encode() not in out
    framing = bundled_dialects()[page.shape].shape.answer.framing  # type: ignore[attr-defined]
    shown = "\n".join(texts(list(foreign(framing, out))))
    assert "bomb in the answer" in shown
    assert "BOMB-4" not in shown.replace(BOMB, "")


def test_a_growing_text_is_counted_once() -> None:
    page = next(page for page in PAGES if page.shape == "meta-ai-web")
    judge = inspector(page)
    judge.feed(page.stream([f"{TOY} ", *"and so on"]))
    assert [hit.count for hit in judge.decision().hits] == [1]


def test_a_last_line_without_an_end_is_judged_and_passes() -> None:
    page = next(page for page in PAGES if page.shape == "grok-web")
    judge = inspector(page)
    unknown = b'{"result":{"novel":[1, 2.50]}}'
    assert judge.feed(unknown) + judge.finish() == unknown
    judge = inspector(page)
    out = judge.feed(b'{"result":{"token":"' + TOY.encode() + b'"}}') + judge.finish()
    assert json.loads(out) == {"result": {"token": GONE}}
    judge = inspector(page)
    assert judge.feed(b"sorry, " + TOY.encode()) + judge.finish() == f"sorry, {GONE}\n".encode().rstrip(b"\n")


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("zai-web", {"messages": [{"role": "user", "content": f"use {TOY}"}], "signature_prompt": "use"}),
        ("poe-web", {"queryName": "sendMessageMutation", "variables": {"query": f"use {TOY}"}}),
    ],
)
def test_what_a_page_has_signed_is_blocked_where_it_would_be_changed(shape: str, body: object) -> None:
    dialect, head = bundled_dialects()[shape], RequestHead(method="POST", path="/")
    verdict = inspect_request(dialect, head, json.dumps(body).encode(), toy_scope())
    assert verdict.blocked
    assert verdict.decision.action is Action.BLOCK
    assert "signs its requests" in verdict.decision.message
    assert [hit.type for hit in verdict.decision.hits] == ["toy"]
    observed = inspect_request(dialect, head, json.dumps(body).encode(), toy_scope("mode: observe"))
    assert not observed.blocked
    clean_body = json.dumps(body).replace(TOY, "it").encode()
    assert inspect_request(dialect, head, clean_body, toy_scope()).body == clean_body


def test_other_calls_on_the_path_are_not_read_whatever_the_policy_makes_of_unknown_formats() -> None:
    body = b"fb_api_req_friendly_name=useSettingsQuery&variables=%7B%7D"
    head = RequestHead(method="POST", path="/", content_type="application/x-www-form-urlencoded")
    verdict = inspect_request(
        bundled_dialects()["meta-ai-web"], head, body, toy_scope("unknown_format: block")
    )
    assert not verdict.blocked
    assert not verdict.request.asks


def test_an_inferred_format_that_does_not_fit_follows_the_policy() -> None:
    dialect, head = bundled_dialects()["common-chat"], RequestHead(method="POST", path="/chat")
    body = json.dumps({"novel": f"say {TOY}"}).encode()
    assert inspect_request(dialect, head, body, toy_scope("unknown_format: block")).blocked
    seen = inspect_request(dialect, head, body, toy_scope())
    assert not seen.understood
    assert json.loads(seen.body) == {"novel": f"say {GONE}"}


def test_a_whole_answer_of_a_page_is_redacted_in_place() -> None:
    body = json.dumps({"data": None, "errors": [{"message": f"no {TOY}", "code": 1.50}]}).encode()
    verdict = inspect_answer(bundled_dialects()["poe-web"], body, toy_scope())
    assert verdict.body == body.replace(TOY.encode(), GONE.encode())
