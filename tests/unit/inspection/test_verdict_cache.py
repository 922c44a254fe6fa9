"""What was judged once is known, as long as it is asked for."""

from __future__ import annotations

from agent.inspection.verdict_cache import VerdictCache


def test_the_cache_forgets_what_was_not_asked_for_longest() -> None:
    cache = VerdictCache(4)  # two generations of two
    for key in (b"a", b"b", b"c"):
        cache.put(key, ())
    assert cache.get(b"a") == ()  # an old one that is asked for stays
    cache.put(b"d", ())
    assert cache.get(b"b") is None
    assert cache.get(b"a") == ()


def test_a_text_without_findings_is_remembered_too() -> None:
    cache = VerdictCache(4)
    assert cache.get(b"a") is None
    cache.put(b"a", ())
    assert cache.get(b"a") == ()
