"""What tells programs apart, and what is kept of their accounts."""

from __future__ import annotations

from agent.model.appearance import Appearance, bare
from agent.model.login import Login, LoginKind, Tenancy


def appearance(app: str, program: str) -> Appearance:
    return Appearance(
        app=app, program=program, surface="openai", user="ann", host="h", first_seen=1, last_seen=1
    )


def test_a_program_that_only_says_what_it_is_is_another() -> None:
    known, claims = appearance("codex", ""), appearance("codex", "python3")
    assert known.key != claims.key
    assert known.asker.vouched
    assert not claims.asker.vouched
    assert [each.name for each in (known, claims, appearance("", "curl"), appearance("", ""))] == [
        "codex",
        "python3 (says it is codex)",
        "curl",
        "unknown",
    ]


def test_nobody_is_named_by_a_kind_of_account() -> None:
    login = Login(
        kind=LoginKind.SUBSCRIPTION,
        subject="ann@example.com",
        organisation="org-1",
        tail="abcd",
        plan="plus",
        tenancy=Tenancy.PERSONAL,
    )
    assert bare(login) == Login(kind=LoginKind.SUBSCRIPTION, plan="plus", tenancy=Tenancy.PERSONAL)
