"""What is never kept, and why."""

from __future__ import annotations

import pytest

from agent.caching.admission import answer_obstacle, request_obstacle
from agent.caching.canonical import Request
from agent.model.conversation import Choice, Finish, Reply, Text, ToolCall
from agent.model.decision import Action, Decision
from agent.policy.caching import Caching

SETTINGS = Caching(max_temperature=0.5, safe_tools=("clock",), max_entry_bytes=1024)
TEXT = Text(text="Hello")
CLOCK = ToolCall(id="1", name="clock")


def reply(*parts: Text | ToolCall, finish: Finish = Finish.STOP, choices: int = 1) -> Reply:
    return Reply(id="r", model="m", choices=(Choice(parts=parts, finish=finish),) * choices)


def obstacle(answer: Reply | None, *, complete: bool = True, **more: object) -> str:
    facts: dict[str, object] = {"status": 200, "size": 10, "decision": Decision(), **more}
    return answer_obstacle(reply=answer, complete=complete, settings=SETTINGS, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (reply(TEXT), ""),
        (reply(TEXT, finish=Finish.STOP_SEQUENCE), ""),
        (reply(CLOCK, finish=Finish.TOOL_CALLS), ""),
        (reply(CLOCK, ToolCall(id="2", name="rm"), finish=Finish.TOOL_CALLS), "tool_calls"),
        (reply(TEXT, finish=Finish.LENGTH), "finish"),
        (reply(TEXT, finish=Finish.FILTERED), "finish"),
        (reply(TEXT, finish=Finish.TOOL_CALLS), "finish"),
        (reply(TEXT, choices=2), "choices"),
        (reply(), "empty"),
        (None, "unreadable"),
    ],
)
def test_answers(answer: Reply | None, word: str) -> None:
    assert obstacle(answer) == word


@pytest.mark.parametrize("action", [each for each in Action if each.changes])
def test_what_policy_changed_is_not_kept_even_if_it_only_observes(action: Action) -> None:
    decision = Decision(action=action, applied=False)
    assert obstacle(reply(TEXT), decision=decision) == "changed_by_policy"
    assert request_obstacle(Request(canonical=b"", temperature=0), decision, SETTINGS) == "changed_by_policy"


def test_an_alert_changes_nothing() -> None:
    assert obstacle(reply(TEXT), decision=Decision(action=Action.ALERT)) == ""


def test_an_answer_into_which_values_were_put_back_is_not_kept() -> None:
    assert obstacle(reply(TEXT), decision=Decision(restored=1)) == "changed_by_policy"


def test_errors_pieces_and_giants_are_not_kept() -> None:
    assert obstacle(reply(TEXT), status=500) == "status"
    assert obstacle(reply(TEXT), complete=False) == "incomplete"
    assert obstacle(reply(TEXT), size=2000) == "too_large"


@pytest.mark.parametrize(("temperature", "word"), [(0.5, ""), (0.6, "temperature"), (None, "temperature")])
def test_a_limit_of_temperature_counts_one_where_none_is_named(temperature: float | None, word: str) -> None:
    request = Request(canonical=b"", temperature=temperature)
    assert request_obstacle(request, Decision(), SETTINGS) == word
    assert request_obstacle(request, Decision(), Caching()) == ""
