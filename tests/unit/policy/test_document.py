"""What a policy says about itself."""

from __future__ import annotations

from agent.model.decision import Action
from agent.model.surface import Endpoint, Surface
from agent.policy import load

HEAD = "schema_version: 1\nid: p\n"


def test_catalog_rows_become_surfaces() -> None:
    row = (
        "catalog:\n"
        "  - {id: own, name: Own, provider: openai, hosts: [LLM.example], http2: true,\n"
        "     endpoints: [{path: '**/chat', dialect: openai-chat}]}\n"
    )
    assert load(HEAD + row, source="p").surfaces() == (
        Surface(
            id="own",
            name="Own",
            provider="openai",
            hosts=("llm.example",),
            endpoints=(Endpoint(path="**/chat", dialect="openai-chat", operation="chat"),),
            http2=True,
        ),
    )


def test_observe_mode_enforces_nothing_and_enforce_only_what_changes_something() -> None:
    enforce, observe = load(HEAD, source="p"), load(HEAD + "mode: observe", source="p")
    assert [enforce.enforces(action) for action in Action] == [False] * 2 + [True] * (len(Action) - 2)
    assert not any(observe.enforces(action) for action in Action)
