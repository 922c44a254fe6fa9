"""Groups on Windows: what PowerShell says."""

from __future__ import annotations

import base64

import pytest

from agent.errors import HostError
from agent.host.groups_windows import WindowsGroups
from agent.host.run import Completed
from tests.fakes.host import FakeRunner


def asked(said: bytes, code: int = 0) -> tuple[WindowsGroups, FakeRunner]:
    runner = FakeRunner({"-NoProfile": Completed(code=code, stdout=said, stderr=b"")})
    return WindowsGroups(runner, {"SystemRoot": r"D:\Windows"}), runner


def test_groups_are_told_with_their_domain() -> None:
    source, runner = asked(b'["ACME\\\\Finance","BUILTIN\\\\Users",7]\r\n')
    assert source.groups(r"ACME\ann") == (r"ACME\Finance", r"BUILTIN\Users")
    (command,) = runner.asked
    assert command[0] == r"D:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
    assert base64.b64encode(rb"ACME\ann").decode() in command[-1]
    assert "%{" in command[-1]


def test_a_name_that_means_something_to_a_directory_is_not_asked_about() -> None:
    source, runner = asked(b"[]")
    assert source.groups("ann/../x,group") == source.groups("") == ()
    assert runner.asked == []


@pytest.mark.parametrize(("said", "code"), [(b"oops", 0), (b'"ann"', 0), (b"", 1)])
def test_no_answer_is_an_error(said: bytes, code: int) -> None:
    with pytest.raises(HostError, match="PowerShell"):
        asked(said, code)[0].groups("ann")
