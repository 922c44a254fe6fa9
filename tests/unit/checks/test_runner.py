"""Checks are asked all at once, and a changed configuration is another check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.checks.runner import Checks
from tests.fakes.services import Service, check_of, hangs, replies, running_checks, segment, service


@pytest.fixture
async def server() -> AsyncIterator[Service]:
    async with service() as made:
        yield made


@pytest.fixture
async def checks() -> AsyncIterator[Checks]:
    async with running_checks() as made:
        yield made


async def test_every_check_is_asked_about_its_own_segments(checks: Checks, server: Service) -> None:
    server.reply = replies({"findings": [{"segment": "0", "type": "t"}]})
    one, two = (check_of(f"{{id: {name}, kind: webhook, url: '{server.url}/{name}'}}") for name in "ab")
    reports = await checks.run(((one, (segment("first"),)), (two, (segment("second"),))))
    assert [(report.check, report.failure, len(report.findings)) for report in reports] == [
        ("a", "", 1),
        ("b", "", 1),
    ]
    assert {posted.url for posted in server.posted} == {"/a", "/b"}


async def test_a_slow_check_does_not_slow_the_others_down(checks: Checks, server: Service) -> None:
    server.reply = hangs
    slow = check_of(f"{{id: a, kind: webhook, url: '{server.url}', timeout_ms: 100}}")
    slower = check_of(f"{{id: b, kind: webhook, url: '{server.url}', timeout_ms: 120}}")
    begun = asyncio.get_running_loop().time()
    reports = await checks.run(((slow, (segment("x"),)), (slower, (segment("x"),))))
    assert [report.failure for report in reports] == ["timeout", "timeout"]
    assert asyncio.get_running_loop().time() - begun < 1


async def test_a_check_keeps_its_memory_until_its_configuration_changes(
    checks: Checks, server: Service
) -> None:
    server.reply = replies({"findings": []})
    for timeout in (500, 500, 600):
        check = check_of(f"{{id: a, kind: webhook, url: '{server.url}', timeout_ms: {timeout}}}")
        await checks.run(((check, (segment("x"),)),))
    assert len(server.posted) == 2


async def test_a_new_policy_forgets_the_checks_it_has_not_and_keeps_the_others(
    checks: Checks, server: Service
) -> None:
    server.reply = replies({"findings": []})
    one, two = (check_of(f"{{id: {name}, kind: webhook, url: '{server.url}/{name}'}}") for name in "ab")
    for _ in range(2):
        await checks.run(((one, (segment("x"),)), (two, (segment("x"),))))
        await checks.prepare((two,))
    assert sorted(posted.url for posted in server.posted) == ["/a", "/a", "/b"]


async def test_preparing_loads_models_only_and_survives_one_that_cannot_be(
    checks: Checks, server: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook = check_of(f"{{id: a, kind: webhook, url: '{server.url}'}}")
    model = check_of(f"{{id: m, kind: onnx, folder: '{tmp_path / 'none'}'}}")
    await checks.prepare((hook, model))
    assert server.posted == []
    assert "check m: model: the model's folder" in caplog.text
