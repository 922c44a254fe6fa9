"""Programs that a policy adds."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.model.app import AppKind, HeaderMark
from agent.model.traffic import Process, Program
from agent.policy import load
from tests.fakes.rulebooks import rule_book, toy_policy

ROW = """
programs:
  - id: acme-agent
    kind: agent
    names: [acme, "acme-*"]
    scripts: ["@acme/agent/"]
    headers: ["X-Acme: v*"]
    hosted_by: [vscode]
"""


def policy(row: str) -> str:
    return f"schema_version: 1\nid: p\nprograms:\n  - {row}\n"


def test_a_row_becomes_an_app_that_is_told() -> None:
    rules = rule_book(toy_policy(ROW))
    app = rules.apps.get("acme-agent")
    assert app is not None
    assert (app.name, app.kind, app.headers) == (
        "acme-agent",
        AppKind.AGENT,
        (HeaderMark(name="x-acme", value="v*"),),
    )
    process = Process(pid=1, name="acme-2", line=(Program(name="acme-2", executable="/opt/acme-2"),))
    assert rules.apps.behind(process).app == "acme-agent"
    assert rules.apps.claimed([(b"x-acme", b"v3")]) == "acme-agent"
    assert rules.apps.get("claude-code") is not None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{id: a}", "something to tell it by"),
        ("{id: a, names: ['*']}", "not alone"),
        ("{id: a, names: ['a#b']}", "only '\\*'"),
        ("{id: a, scripts: [cli.js]}", "part of a path"),
        ("{id: a, headers: ['a b']}", "no header"),
        ("{id: a, signing_ids: [com.a]}", "teams"),
        ("{id: a, names: [a], kind: toy}", "kind"),
        ("{id: a, names: [a], colour: red}", "colour"),
        ("{id: A B, names: [a]}", "lower-case"),
    ],
)
def test_what_cannot_work_is_refused(row: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        load(policy(row), source="p.yaml")


def test_two_rows_cannot_share_an_id() -> None:
    with pytest.raises(PolicyError, match="a"):
        load(policy("{id: a, names: [a]}") + "  - {id: a, names: [b]}\n", source="p.yaml")
