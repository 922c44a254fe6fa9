"""The calls to pywin32, as Windows documents them, through stand-ins for its modules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from agent.host.peers import Account, Peer
from agent.host.pipes import CLIENT_ACCESS
from agent.host.pipes_windows import WindowsPipes

NAMES = {"S-1-5-21-1-1001": ("ann", "CORP", 1), "S-1-5-32-545": ("Benutzer", "VORDEFINIERT", 4)}


class Win32Error(Exception):
    """pywintypes.error"""


class System:
    """What the stand-ins were asked, and what they answer."""

    def __init__(self) -> None:
        self.log: list[tuple[Any, ...]] = []
        self.connecting: int | Win32Error = 997
        self.signalled = 0
        self.opening: list[object] = []
        self.reading: bytes | Win32Error = b"abc"
        self.waited = 0
        self.refused = False

    def load(self, name: str) -> Any:
        return getattr(self, name)()

    def note(self, call: str, answer: object = None) -> Any:
        def called(*given: Any) -> object:
            self.log.append((call, *given))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return called

    def pywintypes(self) -> Any:
        return SimpleNamespace(
            error=Win32Error, SECURITY_ATTRIBUTES=SimpleNamespace, OVERLAPPED=SimpleNamespace
        )

    def win32api(self) -> Any:
        return SimpleNamespace(GetCurrentProcess=lambda: "process", GetCurrentThread=lambda: "thread")

    def win32event(self) -> Any:
        return SimpleNamespace(
            CreateEvent=lambda *_: "event",
            SetEvent=self.note("SetEvent"),
            WaitForMultipleObjects=lambda *_: self.signalled,
            WaitForSingleObject=lambda *_: self.waited,
        )

    def win32pipe(self) -> Any:
        def connect(pipe: str, overlapped: Any) -> int:
            assert overlapped.hEvent == "event"
            if isinstance(self.connecting, Win32Error):
                raise self.connecting
            return self.connecting

        return SimpleNamespace(
            CreateNamedPipe=self.note("CreateNamedPipe", "pipe"),
            ConnectNamedPipe=connect,
            WaitNamedPipe=self.note("WaitNamedPipe"),
            GetNamedPipeClientProcessId=lambda pipe: 77,
        )

    def win32file(self) -> Any:
        def create(*given: Any) -> object:
            self.log.append(("CreateFile", *given))
            answer = self.opening.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        def read(pipe: str, room: bytearray, overlapped: Any) -> None:
            if isinstance(self.reading, Win32Error):
                raise self.reading
            room[: len(self.reading)] = self.reading

        return SimpleNamespace(
            CreateFile=create,
            ReadFile=read,
            WriteFile=self.note("WriteFile"),
            AllocateReadBuffer=bytearray,
            GetOverlappedResult=lambda *_: 3,
            CancelIo=self.note("CancelIo"),
            CloseHandle=self.note("CloseHandle", Win32Error(6, "CloseHandle", "The handle is invalid.")),
        )

    def win32security(self) -> Any:
        def account(_: None, sid: str) -> tuple[str, str, int]:
            if sid not in NAMES:
                raise Win32Error(1332, "LookupAccountSid", "No mapping")
            return NAMES[sid]

        def token(*_: object) -> str:
            if self.refused:
                raise Win32Error(5, "OpenThreadToken", "Access is denied.")
            return "token"

        groups = [("S-1-5-32-545", 7), ("S-1-5-32-544", 16), ("S-1-5-21-9-9", 4)]  # 16: for deny only
        return SimpleNamespace(
            ConvertStringSecurityDescriptorToSecurityDescriptor=lambda text, revision: (text, revision),
            ImpersonateNamedPipeClient=self.note("Impersonate"),
            RevertToSelf=self.note("RevertToSelf"),
            OpenThreadToken=token,
            OpenProcessToken=lambda process, access: "token",
            GetTokenInformation=lambda _, kind: {1: ("S-1-5-21-1-1001", 0), 2: groups}[kind],
            LookupAccountSid=account,
            ConvertSidToStringSid=lambda sid: sid,
            GetSecurityInfo=lambda *_: SimpleNamespace(GetSecurityDescriptorOwner=lambda: "S-1-5-18"),
        )


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def pipes(system: System) -> WindowsPipes:
    return WindowsPipes(system.load)


def test_the_first_end_takes_the_name_or_fails_and_none_is_for_the_network(
    system: System, pipes: WindowsPipes
) -> None:
    for first in (True, False):
        pipes.create("name", "D:P", first=first)
    one, other = system.log
    assert one[1:4] == ("name", 0x40080003, 0x8)
    assert other[2] == 0x40000003
    assert one[8].SECURITY_DESCRIPTOR == ("D:P", 1)


def test_a_client_is_waited_for_until_the_end(system: System, pipes: WindowsPipes) -> None:
    assert pipes.accept("pipe")
    system.connecting = 535  # it was faster
    assert pipes.accept("pipe")
    system.connecting, system.signalled = 997, 1
    assert not pipes.accept("pipe")
    assert system.log == [("CancelIo", "pipe")]


def test_the_account_is_that_of_the_clients_token_with_the_groups_that_count(
    system: System, pipes: WindowsPipes
) -> None:
    groups = {"S-1-5-21-1-1001", "S-1-5-32-545", r"VORDEFINIERT\Benutzer", "S-1-5-21-9-9"}
    account = Account(name=r"CORP\ann", groups=frozenset(groups))
    assert pipes.peer("pipe") == Peer(uid=1001, pid=77, account=account)
    assert [each[0] for each in system.log] == ["Impersonate", "RevertToSelf"]
    assert pipes.own() == "S-1-5-21-1-1001"
    assert pipes.owner("pipe") == "S-1-5-18"


def test_nobodys_rights_are_kept_where_the_token_cannot_be_read(system: System, pipes: WindowsPipes) -> None:
    system.refused = True
    with pytest.raises(PermissionError):
        pipes.peer("pipe")
    assert system.log[-1][0] == "RevertToSelf"


def test_a_client_lends_its_identity_and_nothing_else_and_waits_its_turn(
    system: System, pipes: WindowsPipes
) -> None:
    system.opening = [Win32Error(231, "CreateFile", "All pipe instances are busy."), "pipe"]
    assert pipes.connect("name", 5) == "pipe"
    opened = system.log[0]
    assert opened[:3] == ("CreateFile", "name", CLIENT_ACCESS)
    assert opened[6] == 0x40110000  # overlapped, SQOS present, identification
    assert system.log[1][0] == "WaitNamedPipe"


def test_errors_are_those_of_files(system: System, pipes: WindowsPipes) -> None:
    for number, kind in ((2, FileNotFoundError), (5, PermissionError), (87, OSError)):
        system.opening = [Win32Error(number, "CreateFile", "no")]
        with pytest.raises(kind):
            pipes.connect("name", 5)
    pipes.close("pipe")


def test_reading_ends_with_the_client_or_with_patience(system: System, pipes: WindowsPipes) -> None:
    assert pipes.read("pipe", 10, 1) == b"abc"
    system.waited = 0x102
    with pytest.raises(TimeoutError):
        pipes.read("pipe", 10, 1)
    assert ("CancelIo", "pipe") in system.log
    system.reading = Win32Error(109, "ReadFile", "The pipe has been ended.")
    assert pipes.read("pipe", 10, 1) == b""
    system.reading = Win32Error(6, "ReadFile", "The handle is invalid.")
    with pytest.raises(OSError, match="ReadFile: The handle is invalid"):
        pipes.read("pipe", 10, 1)


def test_all_is_written(system: System, pipes: WindowsPipes) -> None:
    pipes.write("pipe", b"abc", 1)
    assert system.log[0][:3] == ("WriteFile", "pipe", b"abc")
    pipes.stop()
    assert system.log[-1][0] == "SetEvent"
