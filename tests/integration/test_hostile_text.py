"""Texts made to hurt: nothing hangs, nothing leaks, and the outcome is the policy's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest

from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import CHAT, MESSAGES, made_up_key
from tests.integration.stage import Dial, Stage, dialling

KEY = made_up_key()
MB = 2**20

CATASTROPHIC = """\
schema_version: 1
id: catastrophic
guardrails:
  - {id: mine, detect: [custom], action: block}
  - {id: secrets, detect: [secret], action: redact}
detectors:
  - {id: nested-plus, pattern: '(a+)+b$'}
  - {id: alternation, pattern: '(a|aa)+c$'}
  - {id: stars, pattern: '(.*)(.*)(.*)(.*)(.*)[^a ]{9}x$'}
"""


@pytest.fixture(scope="module")
def catastrophic_agent(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with stage.agent(tmp_path_factory.mktemp("catastrophic"), policy=CATASTROPHIC) as agent:
        yield agent


def nested(text: str, levels: int) -> str:
    for _ in range(levels):
        text = base64.b64encode(text.encode()).decode()
    return text


def spelt(key: str) -> dict[str, str]:
    return {
        "twice in base64": nested(f"key={key}", 2),
        "in hexadecimal": key.encode().hex(),
        "in percent signs": "".join(f"%{byte:02X}" for byte in key.encode()),
        "in escapes": "".join(f"\\u{ord(char):04x}" for char in key),
        "with invisible characters": "\u200b".join(key),
        "in two strings": f'"{key[:20]}" + "{key[20:]}"',
        "over two lines": f"{key[:30]}\n{key[30:]}",
    }


@pytest.mark.parametrize("spelling", spelt(KEY))
def test_a_key_in_disguise_does_not_leave(spelling: str, dial: Dial, provider: Provider) -> None:
    disguise = spelt(KEY)[spelling]
    answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body(f"so: {disguise} it is"))
    assert answer.status == 200
    assert "You said: so: " in answer.text
    assert "[REDACTED:openai_api_key]" in answer.text
    assert not provider.saw(disguise)
    assert not provider.saw(KEY[-30:])


def test_a_hundred_thousand_keys_are_all_taken_out(dial: Dial, provider: Provider) -> None:
    keys = " ".join(f"{KEY[:-6]}{number:06d}" for number in range(100_000))
    answer = dial("api.anthropic.com").ask("POST", MESSAGES.target(), MESSAGES.body(keys))
    assert answer.status == 200
    assert "[REDACTED:too_many_findings]" in answer.text
    assert not provider.saw(KEY[:-6])


@pytest.mark.parametrize(
    "text",
    [
        nested("x" * 50, 12),
        "(" * 300_000,
        "%" * 300_000,
        "\\u" * 200_000,
        '"a" + ' * 100_000,
        "\u200b" * 300_000,
        "a\u0430" * 200_000,
        "password=" * 50_000,
        "-----BEGIN RSA PRIVATE " + "KEY-----\n" * 40_000,
        "[" * 200_000 + "]" * 200_000,
    ],
    ids=[
        "nesting", "parentheses", "percents", "escapes", "joints", "invisible", "look-alikes", "assignments", "headers",
        "brackets",
    ],
)  # fmt: skip
def test_text_that_asks_for_much_work_passes(text: str, dial: Dial, provider: Provider) -> None:
    answer = dial("api.openai.com").ask("POST", CHAT.target(), CHAT.body(f"{text} {KEY}"))
    assert answer.status == 200
    assert not provider.saw(KEY)


def test_patterns_that_are_slow_elsewhere_are_not_slow_here(
    catastrophic_agent: AgentProcess, provider: Provider
) -> None:
    with dialling(catastrophic_agent) as dial:
        line = dial("api.openai.com")
        answer = line.ask("POST", CHAT.target(), CHAT.body("a" * 2 * MB + "!"))
        assert answer.status == 200
        assert len(provider.requests) == 1
        assert line.ask("POST", CHAT.target(), CHAT.body("a" * MB + "b")).status == 400


def test_a_text_of_many_megabytes_is_judged_to_its_end(dial: Dial, provider: Provider) -> None:
    words = "fine words, " * (28 * MB // 12)  # the provider takes 32
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": words + KEY}]}).encode()
    answer = dial("api.openai.com").ask("POST", CHAT.target(), body)
    assert answer.status == 200
    assert not provider.saw(KEY)
