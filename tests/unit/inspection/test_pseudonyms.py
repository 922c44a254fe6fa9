"""Pseudonyms: the same value, the same stand-in; back as a whole, to whom it was given, where it stays here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails import Scanner
from agent.inspection import pseudonyms
from agent.inspection.pseudonyms import ALIAS_RULE, KNOWN_RULE, Vault, leads_away, stays
from agent.model.content import Role, Slot
from agent.model.findings import Family, Finding

SCANNER = Scanner((ALIAS_RULE,))


def found(kind: str = "email", family: Family = Family.PII) -> Finding:
    return Finding(start=0, end=1, family=family, type=kind, rule=kind)


def issued(vault: Vault, value: str, kind: str = "email") -> str:
    token = vault.stand_in(found(kind), value)
    assert token is not None
    return token


@given(
    st.text(min_size=1, max_size=60), st.sampled_from(["email", "us_ssn", "custom.name-1", "ключ", "x" * 80])
)
def test_a_stand_in_is_recognised_as_one_and_leads_back(value: str, kind: str) -> None:
    vault = Vault(b"k")
    token = issued(vault, value, kind)
    text = f"say {token}, {token.lower()}."
    assert [text[each.start : each.end] for each in SCANNER.scan(text)] == [token, token.lower()]
    known = vault.original(token.lower())
    assert known is not None
    assert (known.value, known.type) == (value, kind)


def test_the_same_value_has_one_stand_in_and_another_conversation_another() -> None:
    vault, other = Vault(b"k"), Vault(b"l")
    token = issued(vault, "a@b.org")
    assert issued(vault, "a@b.org") == token
    assert issued(vault, "c@b.org") != token
    assert issued(other, "a@b.org") != token
    assert other.original(token) is None


def test_what_was_never_issued_leads_nowhere() -> None:
    assert Vault(b"k").original("ALIAS_EMAIL_AAAAAAAA") is None


def test_part_of_a_stand_in_is_none() -> None:
    token = issued(Vault(b"k"), "a@b.org")
    assert SCANNER.scan(f"{token}S x{token} {token[:-1]}") == ()


def test_vaults_of_the_same_user_are_asked_where_the_provider_keeps_the_conversation() -> None:
    first = Vault(b"k")
    token = issued(first, "a@b.org")
    later = Vault(b"l", elders=lambda: (first,))
    known = later.original(token)
    assert known is not None
    assert known.value == "a@b.org"


def test_a_full_vault_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms, "MAX_VALUES", 1)
    vault = Vault(b"k")
    token = issued(vault, "a@b.org")
    assert vault.stand_in(found(), "c@b.org") is None
    assert vault.stand_in(found(), "a@b.org") == token


def test_known_values_are_found_without_their_context() -> None:
    vault = Vault(b"k")
    assert list(vault.occurrences("s3cret-Pässwort", ())) == []
    issued(vault, "s3cret-Pässwort", "password")
    issued(vault, "ab", "short")
    text = "é s3cret-Pässwort xs3cret-Pässwort ab s3cret-Pässwort"
    places = [(each.start, each.end, each.rule) for each in vault.occurrences(text, ())]
    last = len(text) - len("s3cret-Pässwort")
    assert places == [(2, 17, KNOWN_RULE), (last, len(text), KNOWN_RULE)]
    covered = Finding(start=2, end=17, family=Family.SECRET, type="x", rule="x")
    assert [each.start for each in vault.occurrences(text, (covered,))] == [last]


@pytest.mark.parametrize(
    "before",
    [
        "![x](https://evil.example/?q=",
        "see http://h/",
        "https:\\/\\/h\\/?a=",
        "[link](/relative?",
        "[link](",
        "evil.example/?d=",
        "www.evil.example/",
        "<img src=//evil.example/",
        "<img src='https://h/?",
        "wss://h/",
        "data:text/html,",
        "https://user:",
        "https://h/" + "a" * 3000,
        "![](https://h/?q=(",
        "https://h/?q='",
        "https://h/?a=1,",
        "![](https://h/|",
        '<img src="https://h/?q=two words ',
        "<img src='//h/?q=it is \"",
        "<div style=\"x: url( 'https://h/ ",
        "![x](<https://h/?q=two words ",
        "[x]: <https://h/\\> ",
        "<img src=&#104;ttps://h/?q=",
        '<img src="&#104;ttps://h/?q=a ',
        '{"u":"\\u0068ttps://h/?q=',
        "<img src=https:/h/?q=",
        "<img src=\\\\h\\",
        '<img src="ht\ntps://h/?q=',
    ],
)
def test_a_web_address_leads_away(before: str) -> None:
    assert leads_away(before + "ALIAS_X_AAAAAAAA tail", len(before))


@pytest.mark.parametrize(
    "before",
    [
        "",
        "Dear ",
        "https://h/ and ",
        "postgres://user:",
        "a/b/",
        "(",
        "mail: ",
        "k=",
        '{"a":"',
        "f(",
        '{"u":"https://h","a":"',
        "x=",
        'x = "Dear ',
        '<a href="https://h/">see</a> ',
        "[x](<https://h/a b>) ",
        "AT&T ",
        "x =' https://h/' + ",
    ],
)
def test_other_text_does_not(before: str) -> None:
    assert not leads_away(before + "ALIAS_X_AAAAAAAA", len(before))


def test_only_listed_tools_stay_here() -> None:
    tools = frozenset({"edit"})

    def slot(role: Role, tool: str) -> Slot:
        return Slot(address=((),), role=role, text="x", tool=tool)

    assert stays(slot(Role.ASSISTANT, ""), tools)
    assert stays(slot(Role.TOOL_CALL, "Edit"), tools)
    assert not stays(slot(Role.TOOL_CALL, "WebFetch"), tools)
    assert not stays(slot(Role.TOOL_CALL, ""), tools)
