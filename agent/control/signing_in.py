"""The verbs of signing in and out. Each is about the account that asks, as the kernel tells it, and about no other."""

from __future__ import annotations

import asyncio

import psutil

from agent.control.caller import Caller
from agent.control.verbs import SignInBegin, SignInToken, SignOutOrder
from agent.model.record import IncidentKind, NoteIncident
from agent.signin.keeping import Arrived, Ended, Keeper, Way, unchanged


class SigningIn:
    """Answers the verbs. For one event loop."""

    def __init__(self, keeper: Keeper, note: NoteIncident) -> None:
        self._keeper = keeper
        self._note = note

    async def begin(self, caller: Caller, wish: SignInBegin) -> dict[str, object]:
        """What the person's side must know. Raises ConfigError."""
        return self._keeper.begin(await account_of(caller), Way(wish.way))

    async def sign_in(self, caller: Caller, wish: SignInToken) -> dict[str, object]:
        """Check the token; how the account stands then. Raises ConfigError, UpstreamError."""
        account = await account_of(caller)
        arrived = await self._keeper.sign_in(account, caller.uid, wish.id_token)
        if not unchanged(arrived):
            await self._note(IncidentKind.SIGNED_IN, _message(arrived), _facts(account, caller.uid, arrived))
        return self._keeper.standing(account)

    async def sign_out(self, caller: Caller, wish: SignOutOrder) -> dict[str, object]:
        """Nobody is signed in of this account then. Raises HostError."""
        account = await account_of(caller)
        found = await self._keeper.sign_out(account, Ended(wish.why))
        if found is not None:
            name = found.identity.name
            refused = wish.why == "refused"
            words = "is signed out: the provider refused to renew it" if refused else "has signed out"
            facts = (("user", account), ("uid", str(caller.uid)), ("name", name), ("why", wish.why))
            await self._note(IncidentKind.SIGNED_OUT, f"{name} {words} (account {account})", facts)
        return {"was": found.identity.name if found is not None else "", **self._keeper.standing(account)}


async def account_of(caller: Caller) -> str:
    """The account as the programs behind connections are told by it. Who shows the password of a private agent is its
    owner, and that is who it runs as."""
    return caller.name if caller.uid >= 0 else await asyncio.to_thread(_own_account)


def _own_account() -> str:
    return psutil.Process().username()


def _message(arrived: Arrived) -> str:
    name, account = arrived.now.identity.name, arrived.now.account
    what = "is known by other facts now" if arrived.renewed else "has signed in"
    return f"{name} {what} (account {account})"


def _facts(account: str, uid: int, arrived: Arrived) -> tuple[tuple[str, str], ...]:
    identity = arrived.now.identity
    facts = {
        "user": account,
        "uid": str(uid),
        "name": identity.name,
        "subject": identity.subject,
        "issuer": identity.issuer,
        "groups": str(len(identity.groups)),
    }
    if arrived.before is not None and arrived.before.identity.subject != identity.subject:
        facts["before"] = arrived.before.identity.name
    return tuple(facts.items())
