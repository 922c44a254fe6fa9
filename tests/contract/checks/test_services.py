"""Every service in the shape of its documentation, and every way in which one can fail, over real HTTP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from agent.checks.runner import Checks
from agent.inspection.outside import Report
from agent.model.content import Role, Where
from tests.contract.checks.signature import is_signed
from tests.fakes import vendor_answers as answers
from tests.fakes.services import (
    Reply,
    Service,
    breaks_off,
    check_of,
    floods,
    hangs,
    replies,
    running_checks,
    says,
    secret,
    segment,
    service,
)

TEXT = "please call Ann Müller 😀 about bluebird"
NAME = (12, 22)
ALL = (0, len(TEXT))
ARN = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123"
SIGNED = (
    f"kind: bedrock, region: eu-central-1, guardrail: '{ARN}', version: '1', "
    "access_key: 'env:ID', secret_key: 'env:SECRET'"
)


@dataclass(frozen=True)
class Vendor:
    """A kind of check, an answer with a finding, and what is made of it."""

    keys: str
    path: str
    answer: object
    found: list[tuple[str, int, int]]
    auth: tuple[str, str] | None = ("Authorization", f"Bearer {secret('env:K')}")
    nonsense: list[object] = field(default_factory=lambda: [{}, [], None, 7, "text"])


VENDORS = {
    "bedrock": Vendor(
        keys="kind: bedrock, region: eu-central-1, guardrail: abc, version: DRAFT, key: 'env:K'",
        path="/guardrail/abc/version/DRAFT/apply",
        answer=answers.bedrock(
            sensitiveInformationPolicy={
                "piiEntities": [
                    {"match": "Ann Müller", "type": "NAME", "action": "ANONYMIZED", "detected": True}
                ],
                "regexes": [],
            }
        ),
        found=[("NAME", *NAME)],
    ),
    "azure_content_safety": Vendor(
        keys="kind: azure_content_safety, key: 'env:K', blocklists: [codenames]",
        path="/contentsafety/text:analyze?api-version=2024-09-01",
        answer=answers.AZURE_HARM,
        found=[("Violence", *ALL), ("codenames", *ALL)],
        auth=("Ocp-Apim-Subscription-Key", secret("env:K")),
    ),
    "azure_prompt_shields": Vendor(
        keys="kind: azure_prompt_shields, key: 'env:K'",
        path="/contentsafety/text:shieldPrompt?api-version=2024-09-01",
        answer=answers.SHIELD_PROMPT_ATTACK,
        found=[("UserPromptAttack", *ALL)],
        auth=("Ocp-Apim-Subscription-Key", secret("env:K")),
    ),
    "openai_moderation": Vendor(
        keys="kind: openai_moderation, key: 'env:K'",
        path="/v1/moderations",
        answer=answers.moderations(answers.moderation(hate=0.9)),
        found=[("hate", *ALL)],
    ),
    "patronus": Vendor(
        keys="kind: patronus, key: 'env:K', evaluators: [{evaluator: toxicity}]",
        path="/v1/evaluate",
        answer=answers.patronus(False),
        found=[("toxicity", *ALL)],
        auth=("X-API-KEY", secret("env:K")),
    ),
    "lakera": Vendor(
        keys="kind: lakera, key: 'env:K'",
        path="/v2/guard",
        answer=answers.lakera(
            "pii/name",
            "prompt_attack",
            payload=[
                {
                    "start": NAME[0],
                    "end": NAME[1],
                    "text": "Ann Müller",
                    "detector_type": "pii/name",
                    "labels": [],
                }
            ],
        ),
        found=[("prompt_attack", *ALL), ("pii/name", *NAME)],
    ),
    "presidio": Vendor(
        keys="kind: presidio, language: de",
        path="/analyze",
        answer=[answers.presidio("PERSON", *NAME)],
        found=[("PERSON", *NAME)],
        auth=None,
        nonsense=[{}, [None], None, 7, "text", [answers.presidio("PERSON", 12, len(TEXT) + 1)]],
    ),
    "webhook": Vendor(
        keys="kind: webhook, key: 'env:K'",
        path="/",
        answer={"findings": [{"segment": "0", "start": 12, "end": 22, "type": "name", "score": 0.5}]},
        found=[("name", *NAME)],
        nonsense=[
            {},
            [],
            None,
            {"findings": [{"segment": "0", "start": 12, "end": 900, "type": "name"}]},
        ],
    ),
}


@pytest.fixture
async def server() -> AsyncIterator[Service]:
    async with service() as made:
        yield made


@pytest.fixture
async def checks() -> AsyncIterator[Checks]:
    async with running_checks() as made:
        yield made


async def ask(
    checks: Checks, server: Service, keys: str, *, text: str = TEXT, where: Where = Where.PROMPT
) -> Report:
    check = check_of(f"{{id: a, url: '{server.url}', {keys}}}")
    role = {Where.PROMPT: Role.USER, Where.TOOL_RESULT: Role.TOOL_RESULT, Where.ANSWER: Role.ASSISTANT}[where]
    (report,) = await checks.run(((check, (segment(text, where=where, role=role),)),))
    return report


def found(report: Report) -> list[tuple[str, int, int]]:
    return [(each.finding.rule, each.finding.start, each.finding.end) for each in report.findings]


@pytest.mark.parametrize("kind", VENDORS)
async def test_what_a_service_finds_is_found(checks: Checks, server: Service, kind: str) -> None:
    vendor = VENDORS[kind]
    server.reply = replies(vendor.answer)
    report = await ask(checks, server, vendor.keys)
    assert (report.failure, found(report)) == ("", vendor.found)
    (posted,) = server.posted
    assert posted.url == vendor.path
    if vendor.auth is None:
        assert "Authorization" not in posted.headers
    else:
        assert posted.headers[vendor.auth[0]] == vendor.auth[1]


@pytest.mark.parametrize("kind", VENDORS)
async def test_nonsense_is_a_failed_check_and_nothing_else(
    checks: Checks, server: Service, kind: str
) -> None:
    vendor = VENDORS[kind]
    for place, document in enumerate(vendor.nonsense):
        server.reply = replies(document)
        report = await ask(
            checks, server, vendor.keys + ", breaker: {failures: 100}", text=f"{place} {TEXT[2:]}"
        )
        assert (report.failure, report.findings) == ("malformed", ()), document


MISBEHAVIOUR: dict[str, tuple[Reply, str]] = {
    "HTML instead of JSON": (says(b"<html>Sign in to the hotel's network</html>"), "malformed"),
    "half a document": (says(b'{"findings": ['), "malformed"),
    "a packed document": (
        says(b"\x1f\x8b\x08\x00", headers={"Content-Type": "application/json"}),
        "malformed",
    ),
    "an error": (replies({"error": "x"}, 500), "status"),
    "too many requests": (replies({"error": "x"}, 429), "status"),
    "no content": (says(b"", 204), "status"),
    "a refused key": (replies({"error": "x"}, 401), "credentials"),
    "a redirect": (says(b"", 307, {"Location": "https://elsewhere.example/"}), "redirect"),
    "no end": (floods, "too_large"),
    "a broken connection": (breaks_off, "unreachable"),
    "silence": (hangs, "timeout"),
}


@pytest.mark.parametrize("kind", VENDORS)
@pytest.mark.parametrize("how", MISBEHAVIOUR)
async def test_a_service_that_misbehaves_is_a_failed_check_in_time(
    checks: Checks, server: Service, kind: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.reply, failure = MISBEHAVIOUR[how]
    timeout = 150 if how == "silence" else 5000
    loop = asyncio.get_running_loop()
    begun = loop.time()
    with caplog.at_level(logging.DEBUG, logger="agent"):
        report = await ask(checks, server, f"{VENDORS[kind].keys}, timeout_ms: {timeout}")
    assert (report.failure, report.findings) == (failure, ())
    assert loop.time() - begun < 2.5
    logged = caplog.text
    for private in ("Müller", "bluebird", secret("env:K"), "hotel"):
        assert private not in logged


async def test_nobody_follows_a_redirect_to_another_server(checks: Checks, server: Service) -> None:
    async with service() as elsewhere:
        elsewhere.reply = replies({"findings": []})
        server.reply = says(b"", 307, {"Location": elsewhere.url})
        assert (await ask(checks, server, "kind: webhook")).failure == "redirect"
        assert elsewhere.posted == []


async def test_a_service_that_is_down_is_left_alone(checks: Checks, server: Service) -> None:
    server.reply = replies({}, 503)
    keys = "kind: webhook, breaker: {failures: 3, seconds: 60}"
    said = [(await ask(checks, server, keys, text=f"text {place}")).failure for place in range(6)]
    assert said == ["status"] * 3 + ["left_alone"] * 3
    assert len(server.posted) == 3


async def test_the_signature_is_right_for_what_arrives(checks: Checks, server: Service) -> None:
    server.reply = replies(answers.BEDROCK_CLEAN)
    assert (await ask(checks, server, SIGNED)).failure == ""
    (posted,) = server.posted
    assert posted.url.startswith("/guardrail/arn%3Aaws%3Abedrock%3A")
    right = {"region": "eu-central-1", "service": "bedrock"}
    assert is_signed(posted, secret=secret("env:SECRET"), **right)
    assert not is_signed(posted, secret="another", **right)


@pytest.mark.parametrize("where", [Where.TOOL_RESULT, Where.ANSWER])
async def test_the_service_learns_where_a_text_comes_from(
    checks: Checks, server: Service, where: Where
) -> None:
    server.reply = replies({"findings": []})
    await ask(checks, server, "kind: webhook", where=where)
    assert server.posted[0].json["direction"] == where.value
