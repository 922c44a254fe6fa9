"""The file of examples beside a policy."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.model.decision import Action
from agent.policy.loading import load_sidecar


def test_what_is_left_out_has_its_usual_value() -> None:
    sidecar = load_sidecar("texts: [{text: hi, action: mask}]\nfindings: []\n", source="x")
    [case] = sidecar.texts
    assert (case.action, case.where, case.host, case.rule) == (Action.MASK, "prompt", "api.openai.com", None)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("text: []", "x:1: text: unknown key 'text': did you mean 'texts'?"),
        ("texts:\n  - {text: a, action: deny}", "x:2: texts[0].action: must be one of: allow, alert"),
        ("access:\n  - {action: mask}", "x:2: access[0].action: must be one of: allow, block"),
        ("findings:\n  - {action: mask}", "x:2: findings[0].finding: this key is required"),
        ("access: [{action: allow, attachments: [{kin: a}]}]", "unknown key 'kin': did you mean 'kind'?"),
        ("- a", "must be a mapping"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, wrong: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_sidecar(text, source="x")
    assert wrong in str(caught.value)
