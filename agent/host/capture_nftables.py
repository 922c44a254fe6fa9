"""Capture on Linux: a table of nftables of our own that leads outgoing TLS connections to a port of ours.

Only connections to port 443 are led here, never those of the agent's own user (its connections to providers would come
back to it) and never those that stay on this machine. Replaced and removed as one transaction. Blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import HostError
from agent.host.run import Completed, run

KIND = "nftables-capture"
SCOPE = "inet drawbridge"
CANARY_ADDRESS = "192.0.2.77"  # of nobody (RFC 5737)
_SECONDS = 10.0


def ruleset(*, port: int, uid: int) -> str:
    """The table, in the words in which `nft -n list table` tells it. Connections of the user `uid` are let go, but for
    the canary's: it meets the rule that everybody meets."""
    rules = (
        "type nat hook output priority -100; policy accept;",
        f"meta skuid {uid} ip daddr != {CANARY_ADDRESS} return",
        f"meta skuid {uid} meta nfproto 10 return",
        'oifname "lo" return',
        f"tcp dport 443 redirect to :{port}",
    )
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    return f"table {SCOPE} {{\n\tchain capture {{\n{lines}\t}}\n}}\n"


class CaptureTable:
    """The table as a setting of the OS: its value is its text. See SettingDriver."""

    kind = KIND

    def __init__(self, nft: NftRunner | None = None) -> None:
        self._nft = nft or _nft

    def read(self, scope: str) -> str | None:
        """See SettingDriver."""
        done = self._nft(("-n", "list", "tables"), None)
        if done.code != 0:
            raise _failed("be read", done)
        if f"table {scope}" not in done.stdout.decode("utf-8", "replace").splitlines():
            return None
        done = self._nft(("-n", "list", "table", *scope.split()), None)
        if done.code != 0:
            raise _failed("be read", done)
        return done.stdout.decode("utf-8", "replace")

    def write(self, scope: str, value: str | None) -> None:
        """See SettingDriver. Declared before it is deleted, so that a table that is not there is no error."""
        script = f"table {scope}\ndelete table {scope}\n{value or ''}"
        done = self._nft(("-f", "-"), script.encode())
        if done.code != 0:
            raise _failed("be changed", done)

    def partly(self, value: str | None, before: str | None, ours: str | None) -> bool:
        """See PartedDriver. The table bears our name: whatever another version of nft calls its rules, or somebody has
        added to it, it must go with us, or this machine is led to a port that nobody serves."""
        return value is not None and before is None and ours is not None


class NftRunner:
    """Runs nft with arguments and a script on its standard input."""

    def __call__(self, arguments: Sequence[str], script: bytes | None) -> Completed:
        """How it ended. Raises HostError."""
        return run(["nft", *arguments], timeout=_SECONDS, stdin=script)


_nft = NftRunner()


def _failed(what: str, done: Completed) -> HostError:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return HostError(
        f"the table {SCOPE} of nftables cannot {what}: {said[0] if said else f'exit code {done.code}'}",
        hint="Capture needs root, the program nft and a kernel with nftables; or set capture to none.",
    )
