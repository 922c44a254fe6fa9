"""Clients that speak HTTP/2: those that can nothing else, and browsers on chat pages."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.misbehaviour import Canned, Cut, Exchange, Stall
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.http2_line import Http2Line
from tests.integration.prompts import CHAT, DIALECTS, RESPONSES, Dialect, made_up_key
from tests.integration.stage import Dial

PAGE = "/backend-api/page"
CODEX = "/backend-api/codex/responses"
BROWSER = ("h2", "http/1.1")


@pytest.fixture
def browser(dial: Dial) -> Http2Line:
    """A browser on chatgpt.com."""
    line = dial("chatgpt.com", alpn=BROWSER)
    assert line.sock.selected_alpn_protocol() == "h2"
    return Http2Line(line)


class Gathering:
    """Answers nobody before `count` requests are there at the same time."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._all_there = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self._missing -= 1
        if not self._missing:
            self._all_there.set()
        async with asyncio.timeout(5):
            await self._all_there.wait()
        await Canned(body=b"{}")(exchange)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_client_that_speaks_only_http_2_is_served_and_inspected(
    dialect: Dialect, dial: Dial, provider: Provider
) -> None:
    secret = made_up_key()
    line = dial(dialect.host, alpn=("h2",))
    assert line.sock.selected_alpn_protocol() == "h2"
    answer = Http2Line(line).ask("POST", dialect.target(), dialect.body(f"my {secret}"))
    assert (answer.status, answer.whole) == (200, True)
    assert "[REDACTED:openai_api_key]" in answer.text
    assert not provider.saw(secret)


def test_an_api_client_that_offers_both_is_given_http_1(dial: Dial) -> None:
    assert dial("api.openai.com", alpn=BROWSER).sock.selected_alpn_protocol() == "http/1.1"


def test_a_client_without_alpn_is_served(dial: Dial) -> None:
    assert dial("chatgpt.com", alpn=()).ask("GET", "/").status == 200


def test_a_page_may_ask_for_twelve_things_at_once(browser: Http2Line, provider: Provider) -> None:
    provider.script(PAGE, Gathering(12))
    streams = [browser.request("GET", PAGE) for _ in range(12)]
    assert [(answer.status, answer.whole) for answer in browser.answers(*streams)] == [(200, True)] * 12


def test_many_requests_one_after_the_other_are_served(browser: Http2Line) -> None:
    bodies = [RESPONSES.body(f"number {n}") for n in range(8)]
    answers = [browser.ask("POST", CODEX, body) for body in bodies]
    assert [answer.status for answer in answers] == [200] * 8
    assert all(f"number {n}" in answer.text for n, answer in enumerate(answers))


def test_a_secret_in_a_streamed_answer_is_redacted(browser: Http2Line, provider: Provider) -> None:
    secret = made_up_key()
    answer = browser.ask("POST", CODEX, RESPONSES.body(f"reverse: {secret[::-1]}", stream=True))
    assert answer.whole
    assert secret not in answer.text
    assert "[REDACTED:openai_api_key]" in answer.text


def test_a_stream_is_passed_on_while_it_runs(browser: Http2Line, provider: Provider) -> None:
    provider.script(CODEX, Stall(after=3000))
    stream = browser.request("POST", CODEX, RESPONSES.body("tell me " * 40, stream=True))
    assert browser.first_piece(stream)
    browser.reset(stream)
    provider.wait_for_disconnect(1)


def test_one_exchange_given_up_does_not_harm_the_others(browser: Http2Line, provider: Provider) -> None:
    provider.script(CODEX, Stall(after=3000), times=1)
    stalled = browser.request("POST", CODEX, RESPONSES.body("tell me " * 40, stream=True))
    assert browser.first_piece(stalled)
    browser.reset(stalled)
    assert browser.ask("POST", CODEX, RESPONSES.body("hello")).status == 200


def test_a_stream_that_breaks_off_is_reset(browser: Http2Line, provider: Provider) -> None:
    provider.script(CODEX, Cut(after=3000))
    answer = browser.ask("POST", CODEX, RESPONSES.body("tell me " * 40, stream=True))
    assert (answer.status, answer.whole) == (200, False)


def test_a_request_for_another_host_is_misdirected(
    browser: Http2Line, provider: Provider, agent: AgentProcess
) -> None:
    known = len(agent.trail.events(kind="misdirected"))
    answer = browser.ask("POST", CHAT.target(), CHAT.body("hello"), authority="api.openai.com")
    assert answer.status == 421
    assert provider.requests == ()
    agent.wait_for_events("misdirected", known + 1)


def test_a_request_that_is_too_large_to_inspect_is_refused(browser: Http2Line, provider: Provider) -> None:
    answer = browser.ask("POST", CODEX, bytes(65 * 2**20))
    assert answer.status == 413
    assert RESPONSES.error_message(answer.document)
    assert provider.requests == ()


def test_a_stream_that_nobody_reads_does_not_hold_up_the_others(
    browser: Http2Line, provider: Provider
) -> None:
    provider.script(PAGE, Canned(body=(bytes(2**20),) * 24), times=1)
    stalled = browser.request("GET", PAGE, read=False)
    answers = [browser.ask("POST", CODEX, RESPONSES.body(f"number {n}")) for n in range(3)]
    assert [answer.status for answer in answers] == [200] * 3
    browser.read_on(stalled)
    assert len(browser.answers(stalled)[0].body) == 24 * 2**20
