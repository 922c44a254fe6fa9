"""What the headers of an answer say of its way; whole exchanges are played by the demo itself."""

from __future__ import annotations

from agent.cli.demo.gateway_clients import Told, told_of


def test_an_answer_says_who_gave_it_and_after_how_many_tries() -> None:
    headers = {"x-drawbridge-provider": "openai", "x-drawbridge-attempts": "3", "x-drawbridge-cache": "miss"}
    assert told_of(headers, text="hello", pieces=2) == Told(
        text="hello", pieces=2, provider="openai", attempts=3, cache="miss"
    )


def test_one_from_elsewhere_says_nothing_of_it() -> None:
    assert told_of({}, text="hello") == Told(text="hello")
