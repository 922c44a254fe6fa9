"""What makes a finding the same as another."""

from __future__ import annotations

from dataclasses import replace

from agent.model.inventory import Found, FoundKind


def test_a_finding_is_the_same_in_another_version_and_place_but_not_another_persons() -> None:
    found = Found(kind=FoundKind.COMMAND, id="codex", name="Codex", version="1", user="ann", place="/a")
    assert replace(found, version="2", place="/b").key == found.key
    assert replace(found, user="bob").key != found.key
    assert replace(found, kind=FoundKind.APP).key != found.key
