"""What people are notified of, and how often at most."""

from __future__ import annotations

from dataclasses import replace

from agent.tray.news import BURST, QUIET_SECONDS, REFILL_SECONDS, News
from agent.tray.seen import Decision, Seen, State, Trouble
from agent.tray.watch import Look

ON = Seen(state=State.GUARDING)
OFF = Seen()
FULL = Trouble(code="disk_low", title="The disk is nearly full", text="9 MiB are free", remedy="Make room.")
ONE = Decision(
    number=1, id="0000-01234567", at=0.0, app="codex", service="gpt-5", action="block", applied=True, stopped=True,
    reason="secret in the prompt", rules=("secrets",),
)  # fmt: skip


def told(news: News, *fresh: Decision, seen: Seen = ON, now: float = 0.0) -> list[str]:
    return [each.title for each in news.of(Look(seen=seen, fresh=fresh), now)]


def test_a_block_says_who_whom_why_and_where_to_ask() -> None:
    [bulletin] = News().of(Look(seen=ON, fresh=(ONE,)), 0.0)
    assert bulletin.title == "A request of codex to gpt-5 was blocked"
    assert bulletin.text == "Secret in the prompt\nWhy, and how to object: drawbridge explain 01234567"


def test_a_question_is_called_one() -> None:
    assert told(News(), replace(ONE, action="ask")) == ["A request of codex to gpt-5 was held back"]


def test_what_was_changed_or_only_observed_is_no_news() -> None:
    news = News()
    assert told(news, replace(ONE, action="redact", stopped=False)) == []
    assert told(news, replace(ONE, applied=False)) == []


def test_the_same_is_told_once_in_a_while_and_then_counted() -> None:
    news = News()
    assert len(told(news, ONE, now=0)) == 1
    for second in range(1, 8):
        assert told(news, ONE, now=float(second)) == []
    [bulletin] = news.of(Look(seen=ON, fresh=(ONE,)), QUIET_SECONDS + 1)
    assert bulletin.text.endswith("\n7 more before this one.")
    assert told(news, replace(ONE, rules=("other",)), now=QUIET_SECONDS + 2)


def test_a_flood_is_cut_and_trickles_on() -> None:
    news = News()
    flood = [replace(ONE, app=f"app-{number}") for number in range(100)]
    assert len(told(news, *flood, now=0)) == BURST
    assert told(news, replace(ONE, app="next"), now=1) == []
    assert len(told(news, replace(ONE, app="later"), now=REFILL_SECONDS + 1)) == 1


def test_the_end_of_a_pause_is_told() -> None:
    news = News()
    told(news, seen=Seen(state=State.PAUSED))
    assert told(news, seen=ON) == ["Drawbridge: guarding"]


def test_what_becomes_wrong_is_told_once_with_its_remedy() -> None:
    news = News()
    told(news)
    wrong = Seen(state=State.DEGRADED, troubles=(FULL,))
    [bulletin] = news.of(Look(seen=wrong), 1.0)
    assert (bulletin.title, bulletin.text, bulletin.urgent) == (
        "Drawbridge: The disk is nearly full",
        "9 MiB are free\nMake room.",
        True,
    )
    assert told(news, seen=wrong, now=2) == []
    assert told(news, seen=ON, now=3) == []
    assert told(news, seen=wrong, now=4) == []  # it flaps
    assert told(news, seen=Seen(state=State.DEGRADED, troubles=(replace(FULL, grave=False),)), now=9999) == []


def test_what_is_wrong_gets_through_a_flood() -> None:
    news = News()
    flood = [replace(ONE, app=f"app-{number}") for number in range(9)]
    told(news, *flood)
    assert told(news, seen=Seen(state=State.DEGRADED, troubles=(FULL,)), now=1) != []


def test_a_restart_is_no_news_an_end_is() -> None:
    news = News()
    told(news)
    assert told(news, seen=OFF) == []
    assert told(news, seen=ON) == []
    assert told(news, seen=OFF) == []
    assert told(news, seen=OFF) == ["Drawbridge is not running"]
    assert told(news, seen=OFF) == []
    assert told(news, seen=ON) == ["Drawbridge: guarding"]


def test_an_agent_that_was_never_there_is_no_news() -> None:
    news = News()
    assert [told(news, seen=OFF) for _ in range(5)] == [[]] * 5
    assert told(news, seen=ON) == []
