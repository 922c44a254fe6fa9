"""Accounts at the gateway: read once, remembered without the credential, taught by answers."""

from __future__ import annotations

import pytest

from agent.accounts import presented
from agent.gateway import logins
from agent.gateway.logins import VIRTUAL, Logins, recorded, shown_virtual
from agent.model.login import NO_LOGIN, Login, LoginKind, Tenancy
from agent.model.record import CaptureMode
from tests.fakes.rulebooks import rule_book, toy_policy

RULES = rule_book(toy_policy("company: {organisations: [org-acme]}"))
KEY = "sk-ant-api03-" + "k" * 40 + "wxyz"
FIELDS = ((b"host", b"api.anthropic.com"), (b"x-api-key", KEY.encode()))
HOST = "api.anthropic.com"


def test_the_same_credential_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Logins()
    first = found.login_of(RULES, HOST, FIELDS)
    assert (first.kind, first.tail) == (LoginKind.API_KEY, "wxyz")
    assert found.login_of(RULES, HOST, ((b"cookie", b"changes=1"), *FIELDS)) is first
    assert (
        found.login_of(RULES, HOST, (*FIELDS, (b"openai-organization", b"org-acme"))).tenancy
        is Tenancy.COMPANY
    )
    assert found.login_of(RULES, HOST, ((b"x-api-key", b"other" * 9),)) is not first


def test_nothing_that_is_remembered_holds_the_credential() -> None:
    found = Logins()
    found.login_of(RULES, HOST, FIELDS)
    found.learn(RULES, HOST, FIELDS, b"", ((b"anthropic-organization-id", b"org-acme"),))
    found.login_of(RULES, HOST, FIELDS)
    assert KEY not in repr(found.__dict__)
    assert KEY[13:30] not in repr(found.__dict__)


def test_a_key_in_the_query_is_one() -> None:
    found = Logins().login_of(
        RULES, "generativelanguage.googleapis.com", (), b"alt=sse&key=AIza" + b"x" * 31 + b"wxyz"
    )
    assert (found.key_type, found.tail) == ("google", "wxyz")


def test_what_an_answer_says_counts_from_then_on() -> None:
    found = Logins()
    assert found.login_of(RULES, HOST, FIELDS).tenancy is Tenancy.UNKNOWN
    answer = ((b"anthropic-organization-id", b"org-acme"),)
    assert found.learn(RULES, HOST, FIELDS, b"", answer)
    assert not found.learn(RULES, HOST, FIELDS, b"", answer), "it is known"
    later = found.login_of(RULES, HOST, FIELDS)
    assert (later.organisation, later.tenancy) == ("org-acme", Tenancy.COMPANY)
    assert found.login_of(RULES, HOST, ((b"x-api-key", b"other" * 9),)).organisation == ""


def test_an_answer_to_nobody_teaches_nothing() -> None:
    assert not Logins().learn(RULES, HOST, (), b"", ((b"anthropic-organization-id", b"org-acme"),))
    assert not Logins().learn(RULES, HOST, FIELDS, b"", ((b"server", b"x"),))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "_MAX_KNOWN", 3)
    found = Logins()
    for number in range(9):
        fields = ((b"x-api-key", b"%d" % number * 30),)
        found.login_of(RULES, HOST, fields)
        found.learn(RULES, HOST, fields, b"", ((b"anthropic-organization-id", b"o"),))
        found.login_of(RULES, HOST, fields)
    assert len(found._known) <= 3
    assert len(found._learned) <= 3


@pytest.mark.parametrize("mode", list(CaptureMode))
def test_an_address_stands_in_a_record_only_where_content_does(mode: CaptureMode) -> None:
    kept = recorded(Login(subject="Ann@acme.test", domain="acme.test"), mode, b"key")
    if mode is CaptureMode.FULL:
        assert kept.subject == "Ann@acme.test"
    else:
        assert "ann" not in kept.subject.lower()
        assert kept.subject.endswith("@acme.test")
        assert kept == recorded(Login(subject="ann@acme.test", domain="acme.test"), mode, b"key")
        assert kept != recorded(Login(subject="ann@acme.test", domain="acme.test"), mode, b"other")


def test_an_id_that_is_no_address_stands_as_it_is() -> None:
    assert recorded(Login(subject="user-1"), CaptureMode.METADATA, b"k").subject == "user-1"
    assert recorded(NO_LOGIN, CaptureMode.METADATA, b"k") is NO_LOGIN


def test_a_virtual_key_is_the_companys() -> None:
    shown = presented.Presented(value="v", place="authorization")
    anonymous = Login(kind=LoginKind.ANONYMOUS)
    assert shown_virtual(anonymous, shown) is VIRTUAL
    assert shown_virtual(anonymous, None) is anonymous
    own = Login(kind=LoginKind.SUBSCRIPTION)
    assert shown_virtual(own, shown) is own
