"""Sign-ins as they are kept over a restart of the agent: one small file that nobody else can read. Holds no token.

A file that cannot be read is no sign-in: people sign in again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.errors import HostError
from agent.host.files import read_private, write_atomically
from agent.model.identity import Identity

_LIMIT = 4 * 1024 * 1024  # bytes; one person with five hundred groups takes 128 KB at worst
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """As whom an account has signed in. Times are Unix seconds, those of its last token; `since` is when the person
    signed in. `nonce` is that of the first token, which later ones may repeat."""

    account: str
    uid: int
    identity: Identity
    since: float
    issued_at: float
    expires_at: float
    nonce: str = ""
    groups_left_out: bool = False


def read_sign_ins(path: Path) -> tuple[SignIn, ...]:
    """What was kept. Blocks."""
    try:
        data = read_private(path, limit=_LIMIT)
        document = json.loads(data) if data is not None else {}
        if document.get("version") != _VERSION:
            return ()
        return tuple(_read(each) for each in document["people"])
    except (HostError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def write_sign_ins(path: Path, people: Iterable[SignIn]) -> None:
    """Keep them. Blocks. Raises HostError."""
    document = {"version": _VERSION, "people": [asdict(each) for each in people]}
    write_atomically(path, json.dumps(document).encode() + b"\n")


def _read(found: dict[str, Any]) -> SignIn:
    """What a file says may be of any type. Raises TypeError, KeyError, AttributeError."""
    who = dict(found.pop("identity"))
    groups = tuple(who.pop("groups"))
    identity = Identity(**who, groups=groups)
    made = SignIn(identity=identity, **found)
    texts = (
        *groups,
        made.account,
        made.nonce,
        identity.issuer,
        identity.subject,
        identity.name,
        identity.full_name,
    )
    times = (made.since, made.issued_at, made.expires_at)
    if not all(isinstance(each, str) for each in texts) or not all(
        type(each) in (int, float) for each in times
    ):
        raise TypeError("a value of another type")
    if type(made.uid) is not int or not identity.known:
        raise TypeError("nobody")
    return made
