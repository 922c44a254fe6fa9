"""Requests of HTTP/2 clients, on their way to the gateway."""

from __future__ import annotations

from mitmproxy.test import tflow

from addons.http_tier import HttpTier
from agent.interception.services import GATEWAY


def test_a_request_goes_to_the_gateway_and_still_says_whom_it_asks() -> None:
    flow = tflow.tflow()
    flow.request.host_header = "chatgpt.com"
    HttpTier().requestheaders(flow)
    assert (flow.request.data.host, flow.request.data.port) == GATEWAY
    assert flow.request.scheme == "http"
    assert flow.request.host_header == "chatgpt.com"


def test_nothing_is_held_back_in_either_direction() -> None:
    flow = tflow.tflow(resp=True)
    HttpTier().requestheaders(flow)
    HttpTier().responseheaders(flow)
    assert flow.request.stream is True
    assert flow.response is not None
    assert flow.response.stream is True


def test_an_answer_that_never_came_does_no_harm() -> None:
    HttpTier().responseheaders(tflow.tflow())


def test_the_messages_of_a_websocket_are_not_kept() -> None:
    flow = tflow.twebsocketflow()
    assert flow.websocket is not None
    assert flow.websocket.messages
    HttpTier().websocket_message(flow)
    assert flow.websocket.messages == []
    HttpTier().websocket_message(tflow.tflow())
