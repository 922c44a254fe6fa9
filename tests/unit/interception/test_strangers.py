"""Hosts outside the catalog that AI apps talk to: counted, told once, and never more than there is room for."""

from __future__ import annotations

from agent.interception.strangers import BURST, REMEMBERED, SAMPLE_SECONDS, Strangers


def test_a_pair_is_told_once_and_counted_always() -> None:
    strangers = Strangers()
    assert strangers.met("codex", "cdn.example")
    assert not strangers.met("codex", "CDN.example.")
    assert strangers.met("cursor", "cdn.example")
    assert strangers.counts() == (("codex", "cdn.example", 2), ("cursor", "cdn.example", 1))


def test_an_unknown_app_is_nobody() -> None:
    strangers = Strangers()
    assert not strangers.met("", "cdn.example")
    assert strangers.counts() == ()


def test_an_app_that_meets_thousands_of_hosts_fills_neither_the_trail_nor_the_memory() -> None:
    strangers = Strangers()
    told = sum(strangers.met("browser", f"{number}.example") for number in range(5000))
    assert told == 32
    assert len(strangers.counts()) == REMEMBERED
    assert strangers.met("codex", "cdn.example")


def test_a_host_is_sampled_now_and_then() -> None:
    strangers = Strangers()
    assert strangers.samples("cdn.example", 1000.0)
    assert not strangers.samples("CDN.example.", 1000.0 + SAMPLE_SECONDS - 1)
    assert strangers.samples("cdn.example", 1000.0 + SAMPLE_SECONDS)
    assert strangers.samples("cdn.example", 10.0)  # a clock that was set back is no reason to wait for it


def test_however_many_hosts_there_are_only_so_many_are_sampled() -> None:
    strangers = Strangers()
    assert sum(strangers.samples(f"{number}.example", 1000.0) for number in range(5000)) == BURST
    assert sum(strangers.samples(f"x{number}.example", 1003.0) for number in range(5000)) == 3
    assert len(strangers._sampled) <= REMEMBERED
