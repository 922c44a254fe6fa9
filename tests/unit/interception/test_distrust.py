"""Who refuses our certificate, and for how long that counts."""

from __future__ import annotations

from agent.interception.distrust import REMEMBERED, DistrustLog

NOW = 1_000_000.0
HOUR = 3600.0


def refuse(
    log: DistrustLog, program: str = "app", host: str = "h", *, said_why: bool = True, at: float = NOW
) -> bool:
    return log.refused(program, host, said_why=said_why, now=at, hours=2)


def test_a_client_that_says_why_may_pass_for_some_hours() -> None:
    log = DistrustLog()
    assert refuse(log)
    assert log.passes("app", "h", now=NOW + 2 * HOUR - 1)
    assert not log.passes("app", "h", now=NOW + 2 * HOUR)
    assert not log.passes("app", "h", now=NOW)  # and is then forgotten


def test_only_this_program_and_only_for_this_host() -> None:
    log = DistrustLog()
    refuse(log)
    assert not log.passes("other", "h", now=NOW)
    assert not log.passes("app", "other", now=NOW)


def test_a_client_that_just_closes_counts_from_the_second_time_on() -> None:
    log = DistrustLog()
    assert not refuse(log, said_why=False)
    assert not log.passes("app", "h", now=NOW)
    assert refuse(log, said_why=False)
    assert log.passes("app", "h", now=NOW)


def test_a_handshake_between_two_silent_failures_wipes_the_slate() -> None:
    log = DistrustLog()
    refuse(log, said_why=False)
    log.trusted("app", "h")
    assert not refuse(log, said_why=False)


def test_a_new_refusal_renews_the_time() -> None:
    log = DistrustLog()
    refuse(log)
    refuse(log, at=NOW + HOUR)
    assert log.passes("app", "h", now=NOW + 2.5 * HOUR)


def test_the_log_is_false_until_there_is_something_in_it() -> None:
    log = DistrustLog()
    assert not log
    refuse(log, said_why=False)
    assert log


def test_who_has_trusted_us_is_not_let_through_for_leaving_in_the_middle_of_a_handshake() -> None:
    log = DistrustLog()
    log.trusted("app", "h")
    for _ in range(5):
        assert not log.refused("app", "h", said_why=False, now=0, hours=1)
    assert not log.passes("app", "h", now=1)
    assert log.refused("app", "h", said_why=True, now=0, hours=1)
    assert log.refused("other", "h", said_why=False, now=0, hours=1) is False
    assert log.refused("other", "h", said_why=False, now=0, hours=1)


def test_only_so_many_are_remembered() -> None:
    log = DistrustLog()
    for number in range(REMEMBERED + 1):
        log.trusted(f"app {number}", "h")
    assert not log.trusts("app 0", "h")
    assert log.trusts(f"app {REMEMBERED}", "h")
