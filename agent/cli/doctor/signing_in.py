"""Looks at how this account can sign in. Blocks. What cannot be looked at is said in the facts, never raised."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from agent.cli.doctor.facts import SignInFacts
from agent.cli.doctor.machinery import Machinery
from agent.errors import DrawbridgeError
from agent.signin.discovery import discover
from agent.signin.here import store_of_person, web_of


def sign_in_facts(machine: Machinery) -> SignInFacts:
    """See `SignInFacts`. The running agent says with whom, as it does to whoever signs in."""
    standing: dict[str, Any] = {}
    if machine.status is not None:
        with suppress(DrawbridgeError):
            standing = machine.control.ask("me").get("sign_in", {})
    issuer = str(standing.get("issuer", "" if standing else machine.settings.sign_in_issuer))
    if not issuer:
        return SignInFacts()
    store = store_of_person()
    problem, hint, skew = "", "", None
    if not machine.fast:
        try:
            web = web_of(machine.settings)
            keys = web.get(discover(web, issuer).keys)
            skew = None if keys.date is None else keys.date - time.time()
        except DrawbridgeError as error:
            problem, hint = str(error), error.hint()
    return SignInFacts(
        issuer=issuer,
        fast=machine.fast,
        problem=problem,
        hint=hint,
        skew=skew,
        state=str(standing.get("state", "")),
        name=str(standing.get("name", "")),
        store=store.place,
        stored_safely=store.safe,
    )
