"""macOS: what codesign says."""

from __future__ import annotations

from agent.host.run import Completed
from agent.host.signatures_darwin import CodeSignatures
from agent.model.traffic import UNSIGNED, Signature
from tests.fakes.host import FakeRunner

CLAUDE = "/Users/ann/.local/share/claude/versions/2.0.1"
SHOWN = b"""Executable=/Users/ann/.local/share/claude/versions/2.0.1
Identifier=com.anthropic.claude-code
Format=Mach-O thin (arm64)
Authority=Developer ID Application: Anthropic PBC (Q6L2SF6YDW)
Authority=Developer ID Certification Authority
Authority=Apple Root CA
TeamIdentifier=Q6L2SF6YDW
"""
OK = Completed(code=0, stdout=b"", stderr=b"")


def test_a_valid_signature_names_maker_team_and_identifier() -> None:
    runner = FakeRunner({"--verify": OK, "--display": Completed(code=0, stdout=b"", stderr=SHOWN)})
    assert CodeSignatures(runner).verify(CLAUDE) == Signature(
        signer="Anthropic PBC", team="Q6L2SF6YDW", identifier="com.anthropic.claude-code", verified=True
    )
    checked = runner.asked[0]
    assert checked[0] == "/usr/bin/codesign"
    assert checked[-1] == CLAUDE
    assert "=anchor apple generic or anchor apple" in checked


def test_a_signature_that_does_not_hold_is_none_whatever_it_says() -> None:
    bad = Completed(code=1, stdout=b"", stderr=b"invalid signature")
    runner = FakeRunner({"--verify": bad, "--display": Completed(code=0, stdout=b"", stderr=SHOWN)})
    assert CodeSignatures(runner).verify(CLAUDE) == UNSIGNED


def test_apples_own_programs_have_no_team() -> None:
    shown = b"Identifier=com.apple.curl\nAuthority=Software Signing\nTeamIdentifier=not set\n"
    runner = FakeRunner({"--verify": OK, "--display": Completed(code=0, stdout=b"", stderr=shown)})
    assert CodeSignatures(runner).verify("/usr/bin/curl") == Signature(
        signer="Software Signing", identifier="com.apple.curl", verified=True
    )
