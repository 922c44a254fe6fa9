"""What the policy's cache rules say about one exchange. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from agent.policy.caching import CacheRule, Caching, Reach
from agent.policy.scope import Subject, met, mismatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms an exchange is cached."""

    exact: bool
    semantic: bool
    ttl_seconds: int
    threshold: float

    @property
    def off(self) -> bool:
        """Whether it is not."""
        return not self.exact and not self.semantic


def terms_for(settings: Caching, subject: Subject) -> Terms:
    """The first rule that fits decides; none: the section does."""
    rule = next((rule for rule in settings.rules if _fits(rule, subject)), None)
    if rule is None:
        return Terms(
            exact=settings.exact,
            semantic=settings.semantic.enabled,
            ttl_seconds=settings.ttl_seconds,
            threshold=settings.semantic.threshold,
        )
    return Terms(
        exact=rule.use is not Reach.OFF,
        semantic=rule.use is Reach.SEMANTIC,
        ttl_seconds=rule.ttl_seconds or settings.ttl_seconds,
        threshold=settings.semantic.threshold if rule.threshold is None else rule.threshold,
    )


def _fits(rule: CacheRule, subject: Subject) -> bool:
    """Whether `rule` applies. One whose condition fails applies if it switches the cache off, else it does not."""
    return mismatch(rule, subject) is None and met(rule.condition, subject, failed=rule.use is Reach.OFF)
