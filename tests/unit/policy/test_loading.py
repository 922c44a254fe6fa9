"""Loading a policy: everything wrong is reported at once, with line, key and what is allowed."""

from __future__ import annotations

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import PolicyError
from agent.model.content import Where
from agent.model.decision import Action, Fallback
from agent.policy import KnownNames, Mode, Route, load
from tests.fakes.providers import make_row

HEAD = "schema_version: 1\nid: p\n"
KNOWN = KnownNames(
    dialects=frozenset({"openai-chat", "anthropic-messages"}),
    types=frozenset({"secret/github_token", "pii/email"}),
    surfaces=frozenset({"openai"}),
    providers={name: make_row(name) for name in ("openai", "anthropic", "gemini")},
)


def errors(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(text, source="p.yaml", known=KNOWN)
    return str(caught.value).splitlines()


def test_a_minimal_policy_has_safe_defaults() -> None:
    policy = load(HEAD, source="p.yaml")
    assert (policy.mode, policy.on_error, policy.upstream.route) == (
        Mode.ENFORCE,
        Fallback.BLOCK,
        Route.NATIVE,
    )
    assert (policy.client_distrust.hours, policy.access, policy.revision) == (24, (), 0)


def test_a_full_rule_is_read() -> None:
    text = HEAD + (
        "guardrails:\n"
        "  - {id: g, detect: [secret/github_*, custom/d], action: redact, where: [answer], hosts: [A.com]}\n"
        "detectors:\n  - {id: d, pattern: 'a+'}\n"
    )
    rule = load(text, source="p.yaml", known=KNOWN).guardrails[0]
    assert (rule.action, rule.where, rule.hosts) == (Action.REDACT, (Where.ANSWER,), ("a.com",))


RULE = "access:\n  - {id: a, action: block, "
GUARDRAIL = "guardrails:\n  - {id: g, action: block, detect: [secret], "
ROW = "catalog:\n  - {id: c, name: n, provider: p, "
WRONG = [
    ("mesage: hi", "3: mesage: unknown key 'mesage': did you mean 'message'? (allowed: schema_version, id,"),
    ("mode: enforced", "3: mode: must be one of: enforce, observe"),
    ("capture: all", "3: capture: must be one of: metadata, hash, redacted, full"),
    ("revision: -1", "3: revision: must be greater than or equal to 0"),
    ("revision: 1.5", "3: revision: must be a whole number, not a decimal number"),
    ("revision: '1'", "3: revision: must be a whole number, not text"),
    ("description: 1.0", "3: description: must be text, not a decimal number: write it in quotes"),
    ("message: 'hi {name}'", "3: message: only {reason}, {rule} and {ref} may stand in braces"),
    ("message: 'hi {ref'", "3: message: a brace is not closed"),
    ("message: '{ref!r:>9}'", "3: message: only {reason}"),
    ("access:", "3: access: must be a list, not nothing: write [] or remove the key"),
    ("access: {}", "3: access: must be a list, not a mapping"),
    ("upstream: x", "3: upstream: must be a mapping (key: value), not text"),
    ("upstream: {route: central}", "3: upstream: 'central' is required where route is central"),
    ("client_distrust: {hours: 0}", "3: client_distrust.hours: must be greater than or equal to 1"),
    (
        "providers: {antropic: {key: env:A}}",
        "3: providers.antropic: is no provider of the catalog: did you mean",
    ),
    ("providers:\n  openai: {kee: env:A}", "4: providers.openai.kee: unknown key 'kee': did you mean 'key'?"),
    (RULE + "acton: x}", "4: access[0].acton: unknown key 'acton': did you mean 'action'?"),
    (
        RULE + "hosts: ['https://x.example']}",
        "4: access[0].hosts[0]: 'https://x.example' must be a host name",
    ),
    (RULE + "models: gpt-4}", "4: access[0].models: must be a list, not text: write [ ] around it"),
    (
        RULE + "surfaces: [opanai]}",
        "4: access[0].surfaces[0]: 'opanai' is no surface of the catalog: did you mean",
    ),
    ("access:\n  - {id: a, action: redact}", "4: access[0].action: must be one of: allow, block"),
    ("access:\n  - {id: A b, action: allow}", "4: access[0].id: must be lower-case letters"),
    ("access:\n  - {action: allow}", "4: access[0].id: this key is required"),
    (RULE + "}\n  - {id: a, action: allow}", "5: access[1].id: 'a' is already the id of the rule on line 4"),
    (RULE + "}\n" + GUARDRAIL.replace("id: g", "id: a") + "}", "6: guardrails[0].id: 'a' is already the id"),
    (
        "guardrails:\n  - {id: g, detect: [secrets], action: block}",
        "the families are: secret, pii, injection, label, custom, check",
    ),
    ("guardrails:\n  - {id: g, detect: [pii/], action: block}", "4: guardrails[0].detect[0]: has no type"),
    (
        "guardrails:\n  - {id: g, detect: [], action: block}",
        "4: guardrails[0].detect: must have at least 1 item",
    ),
    (
        "guardrails:\n  - {id: g, detect: [pii/emial], action: block}",
        "no known type: did you mean 'pii/email'?",
    ),
    (
        "guardrails:\n  - {id: g, detect: [custom/x], action: block}",
        "'custom/x' selects no detector of this policy",
    ),
    (
        GUARDRAIL + "where: [prompts]}",
        "4: guardrails[0].where[0]: must be one of: prompt, tool_result, answer",
    ),
    (GUARDRAIL + "on_error: never}", "4: guardrails[0].on_error: must be one of: allow, block"),
    (
        "guardrails:\n  - {id: g, detect: [pii], action: deny}",
        "must be one of: allow, alert, pseudonymize, mask, redact, ask, block",
    ),
    ("detectors:\n  - {id: d}", "4: detectors[0]: needs either 'pattern' or 'keywords'"),
    ("detectors:\n  - {id: d, pattern: a, keywords: [ab]}", "4: detectors[0]: needs either"),
    (
        "detectors:\n  - {id: d, pattern: 'x(abc'}",
        "4: detectors[0].pattern: is not a regular expression RE2 accepts: ",
    ),
    ("detectors:\n  - {id: d, pattern: 'abc(?=d)'}", "at character 4"),
    ("detectors:\n  - {id: d, pattern: 'a*'}", "4: detectors[0].pattern: matches the empty text"),
    (
        "detectors:\n  - {id: d, pattern: a, ignore_case: true}",
        "4: detectors[0]: 'ignore_case' is for keywords",
    ),
    (
        "detectors:\n  - {id: d, keywords: [x]}",
        "4: detectors[0].keywords[0]: must have at least 2 characters",
    ),
    (ROW + "hosts: ['*.com']}", "4: catalog[0].hosts[0]: '*.com' is too wide"),
    (ROW + "hosts: []}", "4: catalog[0].hosts: must have at least 1 item"),
    (ROW + "hosts: [a.example], http2: 'yes'}", "4: catalog[0].http2: must be true or false, not text"),
    (
        ROW + "hosts: [a.example], endpoints: [{path: /v1, dialect: openai}]}",
        "endpoints[0].dialect: 'openai' is no dialect: must be one of: anthropic-messages, openai-chat",
    ),
    (
        ROW + "hosts: [a.example], endpoints: [{path: 'v1', dialect: openai-chat}]}",
        "4: catalog[0].endpoints[0].path: must start with '/' or '**/'",
    ),
    (
        ROW + "hosts: [a.example], endpoints: [{path: '/v1/{a}{b}', dialect: openai-chat}]}",
        "4: catalog[0].endpoints[0].path: may hold one {name} in a segment",
    ),
]


@pytest.mark.parametrize(("body", "wrong"), WRONG, ids=range(len(WRONG)))
def test_each_mistake_is_named_with_line_key_and_what_is_allowed(body: str, wrong: str) -> None:
    lines = errors(HEAD + body)
    assert len(lines) == 1
    assert lines[0].startswith("p.yaml:")
    assert wrong in lines[0]


@pytest.mark.parametrize("version", ["2", "true", "1.0", "'1'", "null"])
def test_only_schema_version_one_is_read(version: str) -> None:
    assert errors(f"schema_version: {version}\nid: p") == ["p.yaml:1: schema_version: must be 1"]


def test_an_empty_file_and_a_list_are_no_policy() -> None:
    assert "the file is empty" in errors("# nothing\n")[0]
    assert "must be a mapping" in errors("- a\n")[0]


def test_every_mistake_is_reported_in_the_order_of_the_file_up_to_twenty() -> None:
    lines = errors(
        "schema_version: 1\nid: p\nmode: x\n" + "".join(f"key_{chr(97 + i)}: 1\n" for i in range(25))
    )
    assert [line.split(":")[1] for line in lines[:20]] == [str(number) for number in range(3, 23)]
    assert lines[20] == "p.yaml: and 6 more"


SECRET = "-".join(("sk", "live", "T0ps3cret" * 4))


@pytest.mark.parametrize(
    "body",
    [
        "providers: {openai: {key: %s}}",
        "providers: {openai: {key: 'Bearer:%s'}}",
        "providers: {openai: {key: 'env:%s'}}",
        "providers: {openai: {key: 'file:%s'}}",
        "providers: {openai: {key: 'keyring:%s'}}",
        "providers: {openai: {key: [%s]}}",
        "providers: {openai: {key: {%s: 1}}}",
        "providers: {openai: {%s}}",
        "providers: {openai: {api_key: %s}}",
        "providers: {%s: 1}",
        "providers: {openai: {key: env:A, base_url: 'https://u:%s@gw.example'}}",
        "providers: {openai: {key: env:A, base_url: 'https://gw.example?k=%s'}}",
        "upstream: {route: central, central: {base_url: 'https://gw.example', virtual_key: %s}}",
        "upstream: {route: %s}",
        "providers: {openai: {key: *%s}}",
        "providers: {openai: {key: !%s x}}",
        "providers: {openai: {key: '%s}}",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(body: str) -> None:
    report = "\n".join(errors(HEAD + body % SECRET))
    assert "T0ps3cret" not in report
    assert "3" in report


def test_a_literal_key_is_told_how_to_be_written() -> None:
    [line] = errors(HEAD + f"providers: {{openai: {{key: {SECRET}}}}}")
    assert "env:NAME, file:/absolute/path, keyring:service/name or exec:" in line
    assert "a key itself must not stand in a policy" in line


def test_a_policy_cannot_be_changed() -> None:
    policy = load(HEAD + RULE + "}", source="p.yaml")
    with pytest.raises(pydantic.ValidationError):
        policy.mode = Mode.OBSERVE  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError):
        policy.access[0].id = "other"  # type: ignore[misc]
    assert isinstance(policy.access, tuple)
    assert isinstance(policy.access[0].hosts, tuple)


def test_the_digest_follows_the_content_only() -> None:
    plain = load("schema_version: 1\nid: p\n", source="a").digest
    assert plain == load("# comment\nid: 'p'\nmode: enforce\nschema_version: 1\n", source="b").digest
    assert plain != load("schema_version: 1\nid: p\nmode: observe\n", source="c").digest
    assert len(plain) == 64


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["id", "access", "guardrails", "detect", "catalog", "endpoints", "hosts", "x"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_the_shape_the_answer_is_a_policy_or_a_policy_error(value: object) -> None:
    import orjson

    try:
        text = orjson.dumps(value).decode()  # JSON is YAML
    except (orjson.JSONEncodeError, TypeError):
        return
    with pytest.raises(PolicyError):
        load(text, source="p.yaml", known=KNOWN)
