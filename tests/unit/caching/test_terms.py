"""The first cache rule that fits an exchange decides."""

from __future__ import annotations

import pytest

from agent.caching.terms import Terms, terms_for
from agent.policy.caching import CacheRule, Caching, EmbedderSource, Reach, Semantic
from agent.policy.scope import Subject

SETTINGS = Caching(
    enabled=True,
    ttl_seconds=100,
    semantic=Semantic(enabled=True, threshold=0.9, embedder=EmbedderSource(local="/m")),
    rules=(
        CacheRule(id="never", apps=("payroll",), use=Reach.OFF),
        CacheRule(id="large", when="size > 1000", use=Reach.EXACT, ttl_seconds=10),
        CacheRule(id="strict", models=("o*",), use=Reach.SEMANTIC, threshold=0.99),
    ),
)


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        (Subject(host="h"), Terms(exact=True, semantic=True, ttl_seconds=100, threshold=0.9)),
        (
            Subject(host="h", app="payroll", size=2000),
            Terms(exact=False, semantic=False, ttl_seconds=100, threshold=0.9),
        ),
        (Subject(host="h", size=2000), Terms(exact=True, semantic=False, ttl_seconds=10, threshold=0.9)),
        (Subject(host="h", model="o9"), Terms(exact=True, semantic=True, ttl_seconds=100, threshold=0.99)),
    ],
)
def test_terms(subject: Subject, wanted: Terms) -> None:
    assert terms_for(SETTINGS, subject) == wanted
    assert wanted.off is (subject.app == "payroll")


def test_a_condition_that_fails_never_widens() -> None:
    failing = "attachments[0].size > 5"
    off = Caching(enabled=True, rules=(CacheRule(id="a", when=failing, use=Reach.OFF),))
    on = Caching(enabled=True, exact=False, rules=(CacheRule(id="a", when=failing, use=Reach.EXACT),))
    assert terms_for(off, Subject(host="h", size=1)).off
    assert terms_for(on, Subject(host="h", size=1)).off
