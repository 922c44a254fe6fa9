"""What is known of executables: nobody waits for it, each file is asked about once, and only the file that runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.signatures import Signatures, verifier
from agent.host.signatures_darwin import CodeSignatures
from agent.host.signatures_linux import Packages
from agent.host.signatures_windows import Authenticode
from agent.model.traffic import UNSIGNED, Process, Signature
from tests.fakes.host import FakeVerifier

GOOD = Signature(signer="dpkg:code", package="code", verified=True)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "code"
    path.touch()
    return path


def process(path: Path, *, pid: int = 7, started: float = 0.0, genuine: bool = True) -> Process:
    return Process(pid=pid, name=path.name, executable=str(path), started=started, genuine=genuine)


def test_the_first_to_ask_is_told_later_and_all_others_at_once(program: Path) -> None:
    source = FakeVerifier({str(program): GOOD})
    signatures = Signatures(source)
    assert signatures.told(process(program)) is None, "nobody asked about it"
    assert source.asked == []
    assert signatures.of(process(program)) is None
    signatures.settle()
    assert signatures.told(process(program)) == GOOD
    assert signatures.of(process(program, pid=8)) == GOOD
    assert source.asked == [str(program)]
    signatures.close()


def test_a_file_that_changed_is_asked_about_anew(program: Path) -> None:
    source = FakeVerifier({str(program): GOOD})
    signatures = Signatures(source)
    signatures.of(process(program))
    signatures.settle()
    program.write_text("another")
    assert signatures.of(process(program, pid=8)) is None
    assert signatures.told(process(program)) == GOOD, (
        "the process that began before has the file it began with"
    )
    signatures.settle()
    assert source.asked == [str(program)] * 2
    signatures.close()


def test_nobody_vouches_for_a_file_that_is_not_the_one_that_runs(program: Path, tmp_path: Path) -> None:
    source = FakeVerifier({str(program): GOOD})
    signatures = Signatures(source)
    assert signatures.of(process(program, genuine=False)) == UNSIGNED
    assert signatures.of(process(tmp_path / "gone", pid=8)) == UNSIGNED
    assert signatures.of(Process(pid=9, name="hidden")) == UNSIGNED
    assert source.asked == []
    signatures.close()


def test_where_users_can_replace_programs_one_changed_after_the_start_does_not_count(program: Path) -> None:
    began = os.stat(program).st_ctime - 60
    for protects, expected in ((False, UNSIGNED), (True, None)):
        signatures = Signatures(FakeVerifier({str(program): GOOD}, protects=protects))
        assert signatures.of(process(program, started=began)) == expected
        signatures.close()


def test_a_tool_that_fails_is_asked_again_after_a_while(program: Path) -> None:
    now = 0.0
    source = FakeVerifier({str(program): HostError("it took too long")})
    signatures = Signatures(source, lambda: now)
    signatures.of(process(program))
    signatures.settle()
    assert signatures.told(process(program)) == UNSIGNED
    now = 301.0
    assert signatures.told(process(program)) is None
    signatures.settle()
    assert source.asked == [str(program)] * 2
    signatures.close()


def test_a_mistake_of_ours_is_no_signature(program: Path, caplog: pytest.LogCaptureFixture) -> None:
    signatures = Signatures(FakeVerifier({str(program): KeyError("x")}))
    signatures.of(process(program))
    signatures.settle()
    assert signatures.told(process(program)) == UNSIGNED
    assert "could not be read" in caplog.text
    signatures.close()


def test_once_closed_nothing_is_asked(program: Path) -> None:
    source = FakeVerifier({str(program): GOOD})
    signatures = Signatures(source)
    signatures.close()
    assert signatures.of(process(program)) is None
    assert source.asked == []


def test_each_platform_has_its_own() -> None:
    assert isinstance(verifier("linux"), Packages)
    assert isinstance(verifier("darwin"), CodeSignatures)
    assert isinstance(verifier("win32"), Authenticode)
