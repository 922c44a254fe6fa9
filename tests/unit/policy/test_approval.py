"""Which programs may ask, judged before a request is read."""

from __future__ import annotations

import pytest

from agent.model.identity import Identity
from agent.model.login import Login, LoginKind, Tenancy
from agent.policy import Policy, Subject, approval, load
from agent.policy.apps import AppWay, State

RULES = """
schema_version: 1
id: p
message: "No: {reason} [{rule}/{ref}]"
upstream: {central: {base_url: "https://hub.example", virtual_key: "env:HUB_KEY"}}
providers: {openai: {key: "env:OPENAI_KEY"}}
apps:
  default: pending
  pending: block
  message: "Not yet. {ref}"
  rules:
    - {id: lab, groups: [lab*], state: approved, routing: gateway}
    - {id: night, apps: [claude-code], when: "hour >= 20", state: denied, message: "Sleep. {ref}"}
    - {id: agents, apps: [claude-*, codex], surfaces: [anthropic, openai], state: approved, routing: native}
    - {id: chats, kinds: [chat], state: denied}
    - {id: kiosk, devices: [dev-9], state: approved, routing: central}
    - {id: paid, tenancies: [company], plans: [team, enterprise], state: approved}
    - {id: keys, logins: [api_key], tenancies: [unknown], organisations: [org-1], state: approved}
"""
POLICY = load(RULES, source="p.yaml")
ADA = Identity(issuer="https://id", subject="1", name="ada@example.com")
ENGINEER = Subject(host="api.anthropic.com", surface="anthropic", kind="api", app="claude-code", hour=9)


def subject(**more: object) -> Subject:
    facts: dict[str, object] = {"host": "api.openai.com", "surface": "openai", "kind": "api", **more}
    return Subject(**facts)  # type: ignore[arg-type]


def policy(section: str, more: str = "") -> Policy:
    return load(f"schema_version: 1\nid: p\n{more}\napps: {section}\n", source="p.yaml")


@pytest.mark.parametrize(
    ("asked", "state", "rule", "stops"),
    [
        (ENGINEER, "approved", "agents", False),
        (subject(app="Claude-Code", hour=21), "denied", "night", True),
        (subject(app="codex"), "approved", "agents", False),
        (subject(app="codex", surface="mistral"), "pending", "apps.default", True),
        (subject(app="cursor"), "pending", "apps.default", True),
        (subject(), "pending", "apps.default", True),
        (subject(app="cursor", kind="chat"), "denied", "chats", True),
        (subject(app="cursor", groups=("sales", "lab-2")), "approved", "lab", False),
        (subject(app="cursor", device="dev-9"), "approved", "kiosk", False),
        (subject(login=Login(tenancy=Tenancy.COMPANY, plan="Team")), "approved", "paid", False),
        (subject(login=Login(tenancy=Tenancy.COMPANY, plan="free")), "pending", "apps.default", True),
        (subject(login=Login(tenancy=Tenancy.PERSONAL, plan="team")), "pending", "apps.default", True),
        (subject(login=Login(kind=LoginKind.API_KEY, organisation="org-1")), "approved", "keys", False),
        (subject(login=Login(kind=LoginKind.CLOUD, organisation="org-1")), "pending", "apps.default", True),
    ],
)
def test_the_first_rule_that_fits_decides(asked: Subject, state: str, rule: str, stops: bool) -> None:
    given = approval.judge(POLICY, asked)
    assert (given.state, given.rule_id, given.stops) == (state, rule, stops)


def test_a_refusal_says_who_where_and_in_the_nearest_words() -> None:
    night = approval.judge(POLICY, subject(app="claude-code", hour=22))
    assert night.reason == "the program 'claude-code' is not allowed on openai"
    assert (night.deciding, night.message) == ("night", "Sleep. {ref}")
    waiting = approval.judge(POLICY, subject())
    assert waiting.reason == "a program that is not known waits for approval on openai"
    assert (waiting.deciding, waiting.message) == ("apps.default", "Not yet. {ref}")
    assert (
        approval.judge(policy("{default: denied}"), subject()).message
        == Policy.model_fields["message"].default
    )


@pytest.mark.parametrize(
    ("pending", "stops", "alerts"),
    [("allow", False, False), ("observe", False, True), ("block", True, False)],
)
def test_what_pending_programs_may_do(pending: str, stops: bool, alerts: bool) -> None:
    given = approval.judge(policy(f"{{default: pending, pending: {pending}}}"), subject(app="cursor"))
    assert (given.state, given.stops, given.alerts) == (State.PENDING, stops, alerts)
    assert bool(given.deciding) == bool(given.reason) == (stops or alerts)


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("scope", ["inference", "host"])
def test_pages_are_refused_only_where_the_policy_says_so(scope: str, asks: bool) -> None:
    given = approval.judge(policy(f"{{default: denied, scope: {scope}}}"), subject(inference=asks))
    assert given.stops is (asks or scope == "host")
    assert given.state is State.DENIED


@pytest.mark.parametrize(
    ("tenancy", "stops", "bare", "deciding"),
    [
        (Tenancy.PERSONAL, True, False, "apps.accounts"),
        (Tenancy.UNKNOWN, False, True, ""),
        (Tenancy.COMPANY, False, False, ""),
    ],
)
def test_accounts_are_judged_beside_programs(
    tenancy: Tenancy, stops: bool, bare: bool, deciding: str
) -> None:
    rules = policy("{accounts: block, unknown_accounts: metadata}")
    given = approval.judge(rules, subject(login=Login(tenancy=tenancy)))
    assert (given.state, given.stops, given.metadata_only) == (State.APPROVED, stops, bare)
    assert given.deciding == deciding


def test_a_rule_has_its_own_say_about_accounts() -> None:
    rules = policy(
        "{accounts: block, rules: [{id: lax, apps: [codex], state: approved, accounts: metadata},"
        " {id: strict, apps: [cursor], state: approved, unknown_accounts: block}]}"
    )
    personal, unknown = Login(tenancy=Tenancy.PERSONAL), Login()
    lax = approval.judge(rules, subject(app="codex", login=personal))
    assert (lax.stops, lax.metadata_only) == (False, True)
    strict = approval.judge(rules, subject(app="cursor", login=unknown))
    assert (strict.stops, strict.deciding) == (True, "strict")
    assert strict.reason == "an account that shows no owner is used on openai"
    assert approval.judge(rules, subject(app="cursor", login=personal)).deciding == "apps.accounts"


def test_a_denied_program_stays_denied_whatever_its_account() -> None:
    given = approval.judge(policy("{default: denied}"), subject(login=Login(tenancy=Tenancy.COMPANY)))
    assert (given.stops, given.deciding) == (True, "apps.default")


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        (subject(app="codex"), AppWay.NATIVE),
        (subject(groups=("lab",)), AppWay.GATEWAY),
        (subject(device="dev-9"), AppWay.CENTRAL),
        (subject(app="cursor"), None),
    ],
)
def test_the_way_is_the_rules_or_the_sections(asked: Subject, way: AppWay | None) -> None:
    assert approval.judge(POLICY, asked).way is way


@pytest.mark.parametrize(("state", "applies"), [("approved", False), ("pending", True), ("denied", True)])
def test_a_rule_whose_condition_fails_applies_unless_it_approves(state: str, applies: bool) -> None:
    rules = policy(f"{{rules: [{{id: r, when: \"groups[0] == 'x'\", state: {state}}}]}}")
    assert approval.fits(rules.apps.rules[0], subject()) is applies


def test_a_policy_that_says_nothing_approves_without_looking() -> None:
    assert approval.judge(policy("{pending: block}"), subject()) is approval.APPROVED


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        ("{require_sign_in: true}", "apps.require_sign_in"),
        ("{rules: [{id: r, state: approved, require_sign_in: true}]}", "r"),
        ("{require_sign_in: true, rules: [{id: r, state: approved}]}", "apps.require_sign_in"),
        ("{require_sign_in: true, rules: [{id: r, state: approved, require_sign_in: false}]}", ""),
        ("{require_sign_in: true, scope: inference, rules: []}", "apps.require_sign_in"),
    ],
)
def test_somebody_who_has_not_signed_in_is_told_how(section: str, rule: str) -> None:
    made = policy(section)
    given = approval.judge(made, subject())
    assert (given.stops, given.deciding) == (bool(rule), rule)
    assert ("drawbridge sign-in" in given.reason) is bool(rule)
    assert not approval.judge(made, subject(identity=ADA)).stops
    assert not approval.judge(made, subject(inference=False)).stops
    assert made.apps.asks_for_sign_in


def test_a_denied_program_is_not_sent_to_sign_in() -> None:
    given = approval.judge(policy("{default: denied, require_sign_in: true}"), subject())
    assert given.deciding == "apps.default"


def test_without_it_nobody_must_sign_in() -> None:
    made = policy("{rules: [{id: r, state: approved, require_sign_in: false}]}")
    assert not made.apps.asks_for_sign_in
    assert not approval.judge(made, subject()).stops


def test_a_rule_is_about_the_account_or_the_name_of_the_sign_in() -> None:
    made = policy('{default: denied, rules: [{id: r, users: ["*@example.com"], state: approved}]}')
    assert approval.judge(made, subject(user="ada")).stops
    assert not approval.judge(made, subject(user="ada", identity=ADA)).stops
    assert approval.judge(
        made, subject(user="ada", identity=Identity(name="ada@example.com"))
    ).stops  # nobody's word
    made = policy("{default: denied, rules: [{id: r, users: [ada], state: approved}]}")
    assert not approval.judge(made, subject(user="ada", identity=ADA)).stops


def test_a_condition_asks_who_has_signed_in() -> None:
    when = 'identity.signed_in && identity.name.endsWith("@example.com") && identity.subject != "2"'
    made = policy(f"{{default: denied, rules: [{{id: r, when: '{when}', state: approved}}]}}")
    assert approval.judge(made, subject()).stops
    assert not approval.judge(made, subject(identity=ADA)).stops
