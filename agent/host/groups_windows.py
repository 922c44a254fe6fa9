"""A user's groups on Windows. For the user we run as: those of our own token, which holds nested and domain groups. For
others: the groups that the machine or its domain lists them in."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Mapping
from functools import partial

import orjson

from agent.errors import HostError
from agent.host.run import Runner, run

_SECONDS = 30.0
_OUTPUT = 256 * 1024
# the name stands there in base64: nothing in it can become a command
_SCRIPT = (
    "$n=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('%s'));"
    "$me=[Security.Principal.WindowsIdentity]::GetCurrent();"
    "if($me.Name -eq $n){$g=@($me.Groups|%%{try{"
    "$_.Translate([Security.Principal.NTAccount]).Value}catch{}})}"
    "else{$d,$u=$n.Split('\\',2);if(-not $u){$u=$d;$d=$env:COMPUTERNAME};"
    '$a=[ADSI]("WinNT://"+$d+"/"+$u+",user");'
    "$g=@($a.Groups()|%%{$d+'\\'+$_.GetType().InvokeMember('Name','GetProperty',$null,$_,$null)})};"
    "ConvertTo-Json -Compress -InputObject @($g)"
)
_FORBIDDEN = frozenset('/"[]:;|=,+*?<>')
"""No account name holds them; in an address of a directory they mean something."""


class WindowsGroups:
    """A `GroupSource` that asks PowerShell."""

    def __init__(self, runner: Runner | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._run = runner or partial(run, timeout=_SECONDS, limit=_OUTPUT)
        root = environ.get("SystemRoot", r"C:\Windows")
        self._program = rf"{root}\System32\WindowsPowerShell\v1.0\powershell.exe"

    def groups(self, user: str) -> tuple[str, ...]:
        """See `GroupSource`. Raises HostError."""
        if not user or set(user) & _FORBIDDEN:
            return ()
        name = b64encode(user.encode("utf-8", "replace")).decode("ascii")
        answer = self._run((self._program, "-NoProfile", "-NonInteractive", "-Command", _SCRIPT % name))
        if answer.code != 0:
            raise HostError(f"PowerShell ended with status {answer.code}")
        try:
            found = orjson.loads(answer.stdout or b"[]")
        except orjson.JSONDecodeError as error:
            raise HostError("PowerShell did not answer in JSON") from error
        if not isinstance(found, list):
            raise HostError("PowerShell did not answer with a list")
        return tuple(each for each in found if isinstance(each, str))
