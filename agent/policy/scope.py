"""Whether a rule applies to an exchange. Values in, an answer out."""

from __future__ import annotations

from dataclasses import dataclass

from agent.policy.document import AccessRule, Scope
from agent.policy.glob import first_match


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who asks for what. Empty where unknown: only a rule without that key, or with the glob `*`, fits then.

    `path` is without query and in the one spelling the catalog compares: percent-decoded, dots resolved.
    """

    host: str
    path: str = ""
    surface: str = "unknown"
    app: str = ""
    model: str = ""
    user: str = ""


def mismatch(scope: Scope, subject: Subject) -> str | None:
    """The first key of `scope` that does not fit `subject`, or None where all do."""
    if scope.surfaces and subject.surface not in scope.surfaces:
        return "surfaces"
    if scope.hosts and first_match(scope.hosts, subject.host) is None:
        return "hosts"
    if scope.apps and first_match(scope.apps, subject.app) is None:
        return "apps"
    if scope.models and first_match(scope.models, subject.model) is None:
        return "models"
    if scope.users and first_match(scope.users, subject.user) is None:
        return "users"
    if isinstance(scope, AccessRule) and scope.paths and first_match(scope.paths, subject.path) is None:
        return "paths"
    return None
