"""Reading gitleaks' file format: old and new forms, keys in any case, and what is refused."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.guardrails.allowlist import Target
from agent.guardrails.gitleaks_file import MAX_PACK, ForeignAllowlist, read_pack


def test_keys_may_be_written_in_any_case() -> None:
    pack = read_pack("[[Rules]]\nID='a'\nRegex='x'\nSecretGroup=1\n[Extend]\nUSEDEFAULT=true", name="f")
    assert (pack.rules["a"].regex, pack.rules["a"].group, pack.use_default) == ("x", 1, True)


def test_the_old_form_of_an_allowlist_is_the_new_one() -> None:
    old = read_pack("[[rules]]\nid='a'\n[rules.allowlist]\nregexes=['x']\ncondition='&&'", name="f")
    new = read_pack("[[rules]]\nid='a'\n[[rules.allowlists]]\nregexes=['x']\ncondition='and'", name="f")
    assert old == new
    assert old.rules["a"].allowlists == (ForeignAllowlist(regexes=("x",), every=True),)
    assert (
        read_pack("[allowlist]\nregextarget='line'\nregexes=['x']", name="f").allowlists[0].target
        is Target.LINE
    )


def test_of_rules_with_one_id_the_last_holds_and_it_is_said() -> None:
    pack = read_pack("[[rules]]\nid='a'\nregex='x'\n[[rules]]\nid='a'\nregex='y'", name="f")
    assert pack.rules["a"].regex == "y"
    assert pack.remarks[0][:2] == ("a", "id")


def test_unknown_keys_are_remarked_upon_and_not_refused() -> None:
    pack = read_pack("x = 1\n[[rules]]\nid='a'\n[[rules.allowlists]]\nmatchCondition='AND'", name="f")
    assert {remark[:2] for remark in pack.remarks} == {("*", "x"), ("a", "matchcondition")}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rules = 1", "rules must be a list"),
        ("rules = [1]", "rule 1: a table is expected"),
        ("[[rules]\n", "not valid TOML"),
        ("[[rules]]\nregex='x'", "rule 1: an id is needed"),
        ("[[rules]]\nid='a'\nregex=1", "rule 1 (a): regex must be a string"),
        ("[[rules]]\nid='a'\nkeywords=['']", "keywords must be a list of strings"),
        ("[[rules]]\nid='a'\nentropy=9", "entropy must be a number"),
        ("[[rules]]\nid='a'\nsecretGroup=-1", "secretGroup must be the number"),
        ("[[rules]]\nid='a'\nskipReport='yes'", "skipreport must be true or false"),
        ("[[rules]]\nid='a'\n[[rules.allowlists]]\ncondition='XOR'", "condition must be AND or OR"),
        ("[[rules]]\nid='a'\n[[rules.allowlists]]\nregexTarget='file'", "regexTarget must be one of"),
        ("[allowlist]\nregexes=['x']\n[[allowlists]]\nregexes=['y']", "use one of them"),
        ("[extend]\npath='x'\nuseDefault=true", "exclude each other"),
        ("#" * (MAX_PACK + 1), "larger than"),
    ],
)
def test_a_malformed_file_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_pack(text, name="acme.toml")
    assert str(caught.value).startswith("acme.toml")
    assert reason in str(caught.value)
