"""Who vouches for a program on Windows: its Authenticode signature, embedded or from a catalog, as PowerShell checks
it. The first answer takes a second, so never while somebody waits."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import partial

import orjson

from agent.errors import HostError
from agent.host.run import Runner, run
from agent.model.traffic import UNSIGNED, Signature

_SECONDS = 30.0
_OUTPUT = 64 * 1024
# the path stands there in base64: nothing in it can become a command
_SCRIPT = (
    "$p=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('%s'));"
    "$s=Get-AuthenticodeSignature -LiteralPath $p;"
    "@{status=[string]$s.Status;subject=[string]$s.SignerCertificate.Subject}|ConvertTo-Json -Compress"
)


class Authenticode:
    """A `Verifier` that asks Get-AuthenticodeSignature."""

    @property
    def protects(self) -> bool:
        """See `Verifier`."""
        return False

    def __init__(self, runner: Runner | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._run = runner or partial(run, timeout=_SECONDS, limit=_OUTPUT)
        root = environ.get("SystemRoot", r"C:\Windows")
        self._program = rf"{root}\System32\WindowsPowerShell\v1.0\powershell.exe"

    def verify(self, executable: str) -> Signature:
        """See `Verifier`."""
        path = b64encode(executable.encode("utf-8", "replace")).decode("ascii")
        answer = self._run((self._program, "-NoProfile", "-NonInteractive", "-Command", _SCRIPT % path))
        if answer.code != 0:
            raise HostError(f"PowerShell ended with status {answer.code}")
        try:
            facts = orjson.loads(answer.stdout)
        except orjson.JSONDecodeError as error:
            raise HostError("PowerShell did not answer in JSON") from error
        if not isinstance(facts, dict) or facts.get("status") != "Valid":
            return UNSIGNED
        return Signature(signer=organisation(str(facts.get("subject", ""))), verified=True)


def organisation(subject: str) -> str:
    """The organisation in a certificate's subject (`CN="Anthropic, PBC", O="Anthropic, PBC", C=US`), else its common
    name."""
    parts = dict(reversed(list(_parts(subject))))
    return parts.get("O") or parts.get("CN") or ""


def _parts(subject: str) -> Iterator[tuple[str, str]]:
    """Names and values; a value that holds a comma stands in quotes, in which a quote is doubled (RFC 1779)."""
    at = 0
    while at < len(subject):
        name, _, rest = subject[at:].partition("=")
        if rest.startswith('"'):
            end = 1
            while (end := rest.find('"', end)) >= 0 and rest[end : end + 2] == '""':
                end += 2
            end = len(rest) if end < 0 else end
            value = rest[1:end].replace('""', '"')
            used = rest.find(",", end)
        else:
            used = rest.find(",")
            value = rest[:used] if used >= 0 else rest
        yield name.strip().upper(), value.strip()
        if used < 0:
            return
        at += len(name) + 1 + used + 1
