"""Which connections are ours to read, with which certificate, and what is refused because names disagree."""

from __future__ import annotations

import socket
import ssl

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.line import Line, NoTunnel
from tests.integration.prompts import CHAT, made_up_key
from tests.integration.stage import ADDRESS, ECHOING, SILENT, STRANGERS, Dial, Stage

HELLO = CHAT.body("hello")


def issuer(line: Line) -> str:
    """Who signed the certificate that the server showed."""
    return line.certificate.issuer.rfc4514_string()


@pytest.mark.parametrize("host", STRANGERS)
def test_a_host_outside_the_catalog_shows_its_own_certificate(
    host: str, dial: Dial, provider: Provider, stage: Stage
) -> None:
    secret = made_up_key()
    line = dial(host, root=stage.authority.ca_file)
    answer = line.ask("POST", "/v1/chat/completions", CHAT.body(secret))
    assert issuer(line) == stage.authority.certificate.subject.rfc4514_string()
    assert answer.document["object"] == "chat.completion"
    assert provider.saw(secret)  # nobody looked, nobody changed it


def test_a_host_outside_the_catalog_leaves_no_trace_in_the_trail(
    dial: Dial, agent: AgentProcess, stage: Stage
) -> None:
    before = agent.status()["audit_events"]
    dial("intranet.example", root=stage.authority.ca_file).ask("GET", "/")
    assert agent.status()["audit_events"] == before


@pytest.mark.parametrize("host", ECHOING)
def test_a_catalogued_host_shows_a_certificate_of_the_device(
    host: str, dial: Dial, provider: Provider
) -> None:
    line = dial(host, alpn=())
    answer = line.ask("GET", "/")
    assert "Drawbridge" in issuer(line)
    assert answer.document == {"message": "hello"}
    assert [one.host for one in provider.requests] == [host]


def test_the_certificate_is_made_without_asking_the_upstream(dial: Dial, stage: Stage) -> None:
    line = dial(SILENT)
    stage.silent.settimeout(0.3)
    with pytest.raises(TimeoutError):
        stage.silent.accept()
    line.request("GET", "/v1/models")
    stage.silent.settimeout(5)
    upstream, _ = stage.silent.accept()  # now it is contacted
    upstream.close()
    assert line.answer("GET").status == 502


def test_a_name_under_a_catalogued_suffix_is_catalogued(dial: Dial) -> None:
    assert "Drawbridge" in issuer(dial("eu.api.openai.com"))


def test_the_case_of_names_makes_no_difference(dial: Dial, provider: Provider) -> None:
    line = dial("API.OpenAI.com", server_name="API.OpenAI.com")
    assert "Drawbridge" in issuer(line)
    assert line.ask("POST", CHAT.target(), HELLO, host="Api.OpenAI.Com:443").status == 200
    assert len(provider.requests) == 1


# Names that disagree.


def test_a_connection_made_for_one_host_that_names_another_in_tls_is_refused(
    dial: Dial, agent: AgentProcess, stage: Stage
) -> None:
    known = len(agent.trail.events(kind="misdirected"))
    for asked, named in (("api.openai.com", "api.anthropic.com"), ("intranet.example", "api.openai.com")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            dial(asked, server_name=named)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        dial("api.openai.com", server_name="intranet.example", root=stage.authority.ca_file)
    events = agent.wait_for_events("misdirected", known + 3)
    assert "'api.openai.com', TLS names 'intranet.example'" in agent.event_text(events[0])


@pytest.mark.parametrize("host", ["api.anthropic.com", "intranet.example", "api.openai.com.intranet.example"])
def test_a_request_for_another_host_than_the_connection_is_misdirected(
    host: str, dial: Dial, agent: AgentProcess, provider: Provider
) -> None:
    known = len(agent.trail.events(kind="misdirected"))
    answer = dial("api.openai.com").ask("POST", CHAT.target(), HELLO, host=host)
    assert answer.status == 421
    assert provider.requests == ()
    event = agent.wait_for_events("misdirected", known + 1)[0]
    assert host in agent.event_text(event)


def test_a_misdirected_request_does_not_harm_the_next_one(dial: Dial) -> None:
    line = dial("api.openai.com")
    assert line.ask("POST", CHAT.target(), HELLO, host="intranet.example").status == 421
    assert line.ask("POST", CHAT.target(), HELLO).status == 200


def test_an_address_with_an_ai_name_in_tls_is_intercepted(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    line = dial(ADDRESS, server_name="api.openai.com")
    answer = line.ask("POST", CHAT.target(), CHAT.body(secret))
    assert "Drawbridge" in issuer(line)
    assert answer.status == 200
    assert not provider.saw(secret)


def test_a_catalogued_host_without_a_name_in_tls_is_intercepted(dial: Dial, provider: Provider) -> None:
    secret = made_up_key()
    line = dial("api.openai.com", server_name=None)
    line.host = "api.openai.com"
    assert line.ask("POST", CHAT.target(), CHAT.body(secret)).status == 200
    assert "Drawbridge" in issuer(line)
    assert len(provider.requests) == 1
    assert not provider.saw(secret)


def test_a_stranger_without_a_name_in_tls_is_tunnelled(dial: Dial, stage: Stage) -> None:
    line = dial("intranet.example", server_name=None, root=stage.authority.ca_file)
    line.host = "intranet.example"
    assert line.ask("GET", "/").status == 200
    assert "Drawbridge" not in issuer(line)


def test_plain_bytes_to_a_catalogued_host_are_refused(dial: Dial, agent: AgentProcess) -> None:
    known = len(agent.trail.events(kind="misdirected"))
    line = dial.tunnel("api.openai.com")
    line.request("GET", "/v1/models")
    assert line.ended()
    assert "plain bytes" in agent.event_text(agent.wait_for_events("misdirected", known + 1)[0])


def test_plain_bytes_to_a_stranger_pass(dial: Dial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = dial.tunnel("127.0.0.1", server.getsockname()[1])
        line.send(b"any old protocol")
        other, _ = server.accept()
        with other:
            assert other.recv(99) == b"any old protocol"
            other.sendall(b"its answer")
            assert line.sock.recv(99) == b"its answer"


def test_a_stranger_that_speaks_first_is_heard(dial: Dial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = dial.tunnel("127.0.0.1", server.getsockname()[1])
        other, _ = server.accept()
        with other:
            other.sendall(b"220 ready\r\n")
            assert line.sock.recv(99) == b"220 ready\r\n"


def test_each_side_of_a_blind_tunnel_may_finish_first(dial: Dial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = dial.tunnel("127.0.0.1", server.getsockname()[1])
        line.send(b"that is all")
        line.sock.shutdown(socket.SHUT_WR)
        other, _ = server.accept()
        with other:
            assert other.recv(99) == b"that is all"
            assert other.recv(99) == b""
            other.sendall(b"and this the answer")
        assert line.sock.recv(99) == b"and this the answer"
        assert line.ended()


def test_a_stranger_that_cannot_be_reached_is_a_clear_refusal(dial: Dial, stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NoTunnel, match="502 cannot reach"):
        dial.tunnel("127.0.0.1", port)


def test_the_proxy_leads_nowhere_to_itself(dial: Dial, agent: AgentProcess) -> None:
    with pytest.raises(NoTunnel, match="403"):
        dial.tunnel("127.0.0.1", agent.proxy_port)


# One connection, many requests.


def test_a_connection_carries_many_requests(dial: Dial, provider: Provider) -> None:
    line = dial("api.openai.com")
    answers = [line.ask("POST", CHAT.target(), CHAT.body(f"number {n}")) for n in range(8)]
    assert [answer.status for answer in answers] == [200] * 8
    assert all(f"number {n}" in answer.text for n, answer in enumerate(answers))
    assert len(provider.requests) == 8
    assert len({one.connection for one in provider.requests}) == 1  # and so does the one to the provider


def test_requests_written_at_once_are_answered_in_turn(dial: Dial, provider: Provider) -> None:
    line = dial("api.openai.com")
    with line.sock.makefile("rb") as stream:
        for n in range(3):
            line.request("POST", CHAT.target(), CHAT.body(f"number {n}"))
        seen = b""
        while seen.count(b"You said: number") < 3:
            piece = stream.read1(65536)
            assert piece
            seen += piece
    assert [seen.index(f"number {n}".encode()) for n in range(3)] == sorted(
        seen.index(f"number {n}".encode()) for n in range(3)
    )


def test_http_1_0_is_answered_and_ended(dial: Dial) -> None:
    line = dial("api.openai.com")
    line.send(b"GET / HTTP/1.0\r\nHost: api.openai.com\r\n\r\n")
    assert line.answer("GET").status == 200
    assert line.ended()


def test_a_client_that_waits_for_100_continue_is_told(dial: Dial) -> None:
    line = dial("api.openai.com")
    body = CHAT.body("patient")
    line.send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nExpect: 100-continue\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    assert line.sock.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.send(body)
    assert "You said: patient" in line.answer().text


def test_no_tls_keys_are_written_though_the_environment_asks_for_it(dial: Dial, agent: AgentProcess) -> None:
    assert dial("api.openai.com").ask("POST", CHAT.target(), HELLO).status == 200
    assert dial("chatgpt.com", alpn=("h2", "http/1.1")).sock.selected_alpn_protocol() == "h2"
    assert not agent.keylog.exists()


def test_the_pac_file_names_the_proxy_and_is_for_no_web_page(dial: Dial, agent: AgentProcess) -> None:
    answer = dial.proxy().ask("GET", "/proxy.pac", fields=())
    assert answer.status == 200
    assert f"PROXY 127.0.0.1:{agent.proxy_port}" in answer.text
    assert 'function elsewhere(url, host) { return "DIRECT"; }' in answer.text  # nobody led traffic before us
    assert "api.openai.com" in answer.text
    assert dial.proxy().ask("GET", "/proxy.pac", fields=(("Origin", "https://evil.example"),)).status != 200
    assert dial.proxy().ask("GET", "/proxy.pac", host="evil.example", fields=()).status != 200


def test_plain_http_is_not_proxied(dial: Dial, provider: Provider) -> None:
    answer = dial.proxy().ask("GET", "http://api.openai.com/v1/models", host="api.openai.com")
    assert answer.status == 501
    assert provider.requests == ()
