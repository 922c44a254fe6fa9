"""The policy's `accounts`, compiled: whose a key is, what it may use, and which meters a request runs past. Pure, but
that making one reads the time zones of its budgets.

A book never changes; a new policy is a new book. Meters keep their ids, and so their counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import re2

from agent.accounts.denials import Denial, Tier, model_blocked, provider_blocked, request_too_large
from agent.accounts.meters import Ceiling, Meter, meters
from agent.policy.accounts import Accounts, Binding, Customer, KeyProvider, Team, User, VirtualKey
from agent.policy.glob import first_match, matches

_REGEX = "re2:"
_MAX_PLANS = 10_000
_MAX_KNOWN = 1000  # pairs of provider and model of a key whose answer is remembered

type _ModelTest = Callable[[str], bool]
type _Owner = Customer | Team | User | VirtualKey | KeyProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a request of somebody at a provider runs past, in the order in which it is asked."""

    meters: tuple[Meter, ...] = ()
    ceilings: tuple[Ceiling, ...] = ()

    def too_large(self, tokens: int) -> Denial | None:
        """The refusal of a request of so many tokens."""
        for each in self.ceilings:
            if tokens > each.limit:
                return request_too_large(each.tier, each.owner, "max_tokens_per_request", tokens, each.limit)
        return None

    @property
    def ceiling(self) -> int | None:
        """The tokens of the largest request."""
        return min((each.limit for each in self.ceilings), default=None)


EMPTY = Plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks, as far as bindings and users' budgets care."""

    user: str = ""
    name: str = ""  # of the sign-in
    groups: tuple[str, ...] = ()
    device: str = ""
    app: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What bindings may call the person."""
        return (self.user, self.name) if self.name else (self.user,)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A virtual key with what it belongs to."""

    row: VirtualKey
    team: Team | None
    customer: Customer | None
    expires_at: float | None
    tests: dict[str, tuple[_ModelTest, _ModelTest]] = field(repr=False)  # by provider: allowed, denied
    _known: dict[tuple[str, str, str], Denial | None] = field(repr=False, compare=False, default_factory=dict)

    def denial(self, provider: str, model: str, name: str = "") -> Denial | None:
        """Why this key may not use a model, if so. A policy may mean either name of it."""
        if self.row.providers is None:
            return None
        place = (provider, model, name)
        if place in self._known:
            return self._known[place]
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        found = self._known[place] = self._denial(provider, model, name or model)
        return found

    def _denial(self, provider: str, model: str, name: str) -> Denial | None:
        found = self.tests.get(provider)
        if found is None:
            return provider_blocked(self.row.id, provider)
        allowed, denied = found
        if denied(model) or denied(name) or not (allowed(model) or allowed(name)):
            return model_blocked(self.row.id, provider)
        return None

    def provider(self, name: str) -> KeyProvider | None:
        """The key's row for a provider, if it has one."""
        return next((each for each in self.row.providers or () if each.provider == name), None)

    def allows_tool(self, tool: str) -> bool:
        """Whether it may call an MCP tool, `server/tool`."""
        return self.row.mcp_tools is None or first_match(self.row.mcp_tools, tool) is not None


class Book:
    """Answers from one policy."""

    def __init__(self, section: Accounts) -> None:
        self.section = section
        # read from the disk here; plans, made between requests, find them in memory
        self._zones = [ZoneInfo(name) for name in _time_zones(section)]
        self.key_required = section.key_required
        self._teams = {team.id: team for team in section.teams}
        self._customers = {customer.id: customer for customer in section.customers}
        self.keys = {row.id: self._entry(row) for row in section.virtual_keys}
        self._by_hash = {row.hash: self.keys[row.id] for row in section.virtual_keys if row.hash is not None}
        self._plans: dict[tuple[str, str, str], Plan] = {}

    def by_hash(self, hashed: str) -> KeyEntry | None:
        """The key of a hash."""
        return self._by_hash.get(hashed)

    def bound(self, client: Client) -> KeyEntry | None:
        """The key that the first binding which fits gives to a client."""
        for binding in self.section.bindings:
            if _fits(binding, client):
                return self.keys.get(binding.key)
        return None

    def person(self, client: Client) -> str:
        """By which of his names somebody's use is counted: that of the sign-in where a row of `users` is about it, so
        that he has one budget on all his machines; else the account's."""
        named = client.name and self.section.users and self._user(client.name) is not None
        return client.name if named else client.user

    def plan(self, key: KeyEntry | None, user: str, provider: str) -> Plan:
        """What a request runs past."""
        place = (key.row.id if key is not None else "", user, provider)
        plan = self._plans.get(place)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            plan = self._plans[place] = self._made_plan(key, user, provider)
        return plan

    def meters_of(self, key: KeyEntry, user: str) -> list[Meter]:
        """All that a key may run past, in the hands of an account: those of its providers stand last."""
        found = list(self.plan(key, user, "").meters)
        for provider in key.row.providers or ():
            found += [each for each in self.plan(key, user, provider.provider).meters if each not in found]
        return found

    def _made_plan(self, key: KeyEntry | None, user: str, provider: str) -> Plan:
        owners: list[tuple[Tier, str, _Owner]] = []
        if key is not None and key.customer is not None:
            owners.append((Tier.CUSTOMER, key.customer.id, key.customer))
        if key is not None and key.team is not None:
            owners.append((Tier.TEAM, key.team.id, key.team))
        if user and (row := self._user(user)) is not None:
            owners.append((Tier.USER, user.lower(), row))
        if key is not None:
            owners.append((Tier.KEY, key.row.id, key.row))
            if (used := key.provider(provider)) is not None:
                owners.append((Tier.PROVIDER, f"{key.row.id}/{provider}", used))
        found: list[Meter] = []
        ceilings: list[Ceiling] = []
        for tier, name, owner in owners:
            found += meters(tier, name, owner.budgets, owner.limits)
            if (most := owner.limits.max_tokens_per_request) is not None:
                ceilings.append(Ceiling(limit=most, tier=tier, owner=name))
        return Plan(meters=tuple(found), ceilings=tuple(ceilings)) if found or ceilings else EMPTY

    def _user(self, account: str) -> User | None:
        for row in self.section.users:
            if first_match(row.accounts or (row.id,), account) is not None:
                return row
        return None

    def _entry(self, row: VirtualKey) -> KeyEntry:
        team = self._teams.get(row.team) if row.team is not None else None
        customer = team.customer if team is not None else row.customer
        return KeyEntry(
            row=row,
            team=team,
            customer=self._customers.get(customer) if customer is not None else None,
            expires_at=row.expires_at,
            tests={
                each.provider: (_test(each.models), _test(each.deny_models)) for each in row.providers or ()
            },
        )


def _time_zones(section: Accounts) -> set[str]:
    owners: list[_Owner] = [*section.customers, *section.teams, *section.users, *section.virtual_keys]
    owners += [provider for key in section.virtual_keys for provider in key.providers or ()]
    return {
        zone for owner in owners for each in owner.budgets if (zone := each.time_zone) not in (None, "UTC")
    }


def _fits(binding: Binding, client: Client) -> bool:
    return (
        (not binding.users or any(first_match(binding.users, each) is not None for each in client.names))
        and (not binding.devices or first_match(binding.devices, client.device) is not None)
        and (not binding.apps or first_match(binding.apps, client.app) is not None)
        and (
            not binding.groups
            or any(first_match(binding.groups, group) is not None for group in client.groups)
        )
    )


def _test(patterns: tuple[str, ...] | None) -> _ModelTest:
    """Whether a model's name fits one of the patterns; None is all of them."""
    if patterns is None:
        return lambda model: True
    globs = tuple(each for each in patterns if not each.startswith(_REGEX))
    expressions = tuple(
        re2.compile(f"(?i){each.removeprefix(_REGEX)}") for each in patterns if each.startswith(_REGEX)
    )

    def fits(model: str) -> bool:
        return any(matches(each, model) for each in globs) or any(
            each.fullmatch(model) is not None for each in expressions
        )

    return fits
