"""What tells programs apart, and what is kept of their accounts."""

from __future__ import annotations

from agent.model.appearance import Appearance, bare
from agent.model.login import Login, LoginKind, Tenancy


def appearance(app: str, program: str) -> Appearance:
    return Appearance(
        app=app, program=program, surface="openai", user="ann", host="h", first_seen=1, last_seen=1
    )


def test_a_program_is_told_by_its_id_or_else_by_its_name() -> None:
    assert appearance("codex", "codex").key == appearance("codex", "codex-x86").key
    assert appearance("", "curl").key != appearance("", "wget").key
    assert (appearance("codex", "x").name, appearance("", "curl").name, appearance("", "").name) == (
        "codex",
        "curl",
        "unknown",
    )


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
