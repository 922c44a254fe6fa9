"""What requests show of accounts, as data."""

from __future__ import annotations

import pytest

from agent.catalog.logins import Fact, bundled_logins, parse_logins
from agent.errors import ConfigError
from agent.model.login import LoginKind, Tenancy

FACTS = bundled_logins()


def test_the_longest_beginning_is_tried_first() -> None:
    lengths = [len(key.begins) for key in FACTS.keys]
    assert lengths == sorted(lengths, reverse=True)
    assert len({key.begins for key in FACTS.keys}) == len(FACTS.keys)


@pytest.mark.parametrize(
    ("word", "name", "tenancy"),
    [
        ("free", "free", Tenancy.PERSONAL),
        ("plus", "plus", Tenancy.PERSONAL),
        ("pro", "pro", Tenancy.PERSONAL),
        ("prolite", "pro", Tenancy.PERSONAL),
        ("Team", "team", Tenancy.COMPANY),
        ("business", "business", Tenancy.COMPANY),
        ("enterprise", "enterprise", Tenancy.COMPANY),
        ("edu", "edu", Tenancy.COMPANY),
        ("free_limited_copilot", "free", Tenancy.PERSONAL),
        ("copilot_for_business_seat", "business", Tenancy.COMPANY),
        ("copilot_for_business_seat_quota", "business", Tenancy.COMPANY),
        ("copilot_enterprise_seat", "enterprise", Tenancy.COMPANY),
        ("monthly_subscriber", "individual", Tenancy.PERSONAL),
        ("yearly_subscriber", "individual", Tenancy.PERSONAL),
    ],
)
def test_vendors_words_for_plans_become_ours(word: str, name: str, tenancy: Tenancy) -> None:
    plan = FACTS.plan(word)
    assert plan is not None
    assert (plan.name, plan.tenancy) == (name, tenancy)


def test_a_word_that_nobody_knows_is_no_plan() -> None:
    assert FACTS.plan("galactic") is None


def test_names_of_headers_are_lower_case_and_domains_plain() -> None:
    assert all(name == name.lower() for name in (*FACTS.headers, *FACTS.answers))
    assert all(domain == domain.lower() and "." in domain for domain in FACTS.consumer_domains)


def test_a_file_says_everything_it_says() -> None:
    facts = parse_logins(
        '[[key]]\nbegins = "a-"\nkind = "api_key"\ntype = "a"\n'
        '[[claim]]\npath = ["x", "y"]\ngives = "plan"\n'
        '[[host]]\nname = "a.test"\nplan = "team"\n'
        '[consumer]\ndomains = ["mail.test"]\n',
        source="l.toml",
    )
    assert facts.keys[0].kind is LoginKind.API_KEY
    assert facts.claims == ((("x", "y"), Fact.PLAN),)
    assert facts.hosts["a.test"].plan == "team"
    assert facts.consumer_domains == {"mail.test"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[colour]]\nname = "x"', "colour"),
        ('[[key]]\nbegins = "x"\nkind = "thing"\ntype = "t"', "thing"),
        ('[[key]]\nbegins = "x"\nkind = "api_key"', "type"),
        ('[[header]]\nname = "x"\ngives = "wings"', "wings"),
        ('[[plan]]\nname = "x"\ntenancy = "moon"\nwords = []', "moon"),
        ("[consumer]\nnames = []", "names"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_logins(text, source="l.toml")
    assert "l.toml" in str(caught.value)
