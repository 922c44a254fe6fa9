"""A provider that is down says so."""

from __future__ import annotations

from collections.abc import Mapping

from agent.cli.demo.outage import overloaded


async def test_whatever_it_is_asked_it_answers_503() -> None:
    incoming = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.request", "body": b"}", "more_body": False},
    ]
    sent: list[Mapping[str, object]] = []

    async def receive() -> dict[str, object]:
        return incoming.pop(0)

    async def send(message: Mapping[str, object]) -> None:
        sent.append(message)

    await overloaded({}, receive, send)
    assert incoming == []
    assert [message.get("status") for message in sent] == [503, None]
