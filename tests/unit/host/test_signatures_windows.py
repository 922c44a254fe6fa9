"""Windows: what Get-AuthenticodeSignature says."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import HostError
from agent.host.run import Completed
from agent.host.signatures_windows import Authenticode, organisation
from agent.model.traffic import UNSIGNED, Signature
from tests.fakes.host import FakeRunner

CLAUDE = r"C:\Users\ann'; calc; '\claude.exe"
SUBJECT = 'CN="Anthropic, PBC", O="Anthropic, PBC", L=San Francisco, S=California, C=US'


def asked(said: bytes, code: int = 0) -> tuple[Authenticode, FakeRunner]:
    runner = FakeRunner({"-NoProfile": Completed(code=code, stdout=said, stderr=b"")})
    return Authenticode(runner, {"SystemRoot": r"D:\Windows"}), runner


def test_a_valid_signature_names_its_organisation() -> None:
    source, _ = asked(json.dumps({"status": "Valid", "subject": SUBJECT}).encode())
    assert source.verify(CLAUDE) == Signature(signer="Anthropic, PBC", verified=True)


def test_no_path_becomes_a_command() -> None:
    source, runner = asked(b'{"status": "NotSigned", "subject": ""}')
    assert source.verify(CLAUDE) == UNSIGNED
    (command,) = runner.asked
    assert command[0] == r"D:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
    assert "calc" not in " ".join(command)
    assert base64.b64encode(CLAUDE.encode()).decode() in command[-1]


@pytest.mark.parametrize(("said", "code"), [(b"", 0), (b"oops", 0), (b"", 1)])
def test_no_answer_is_an_error(said: bytes, code: int) -> None:
    source, _ = asked(said, code)
    with pytest.raises(HostError, match="PowerShell"):
        source.verify(CLAUDE)


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (SUBJECT, "Anthropic, PBC"),
        ("CN=Google LLC, O=Google LLC, C=US", "Google LLC"),
        ("CN=Somebody", "Somebody"),
        ('O="Say ""Hi"", Inc.", C=US', 'Say "Hi", Inc.'),
        ('CN="open', "open"),
        ("", ""),
    ],
)
def test_the_organisation_of_a_subject(subject: str, name: str) -> None:
    assert organisation(subject) == name


@given(st.text())
def test_no_subject_is_too_strange(subject: str) -> None:
    organisation(subject)
