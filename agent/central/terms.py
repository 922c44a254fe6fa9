"""What a policy must hold to be served by a central node. A policy that does not is refused, at the start and later."""

from __future__ import annotations

from agent.central.orders import Orders
from agent.errors import ConfigError
from agent.gateway.policy_file import Acceptance
from agent.policy import Policy
from agent.policy.accounts import Accounts
from agent.policy.history import History

type _Place = tuple[str, History | None]


def terms_of(orders: Orders) -> Acceptance:
    """The terms for a node under these orders. What it accepts first says where it counts for as long as it runs."""
    places: list[_Place] = []

    def accept(policy: Policy) -> None:
        if not (orders.listen.loopback or orders.anonymous):
            _asks_for_a_key(policy, orders)
        if policy.apps.asks_for_sign_in:
            raise ConfigError(
                f"'require_sign_in' of the policy {policy.id!r} would refuse all: a central node knows no sign-ins",
                hint="Give the node a policy of its own, and its clients virtual keys.",
            )
        if orders.workers > 1:
            _counts_in_one_place(policy, orders.workers)
        counted = policy.accounts or Accounts()
        place = (counted.store.url, counted.history)
        if places and place != places[0]:
            raise ConfigError(
                f"the policy {policy.id!r} has another 'accounts.store' or 'history' than the node started with",
                hint="Restart the node for that.",
            )
        places.append(place)

    return accept


def _asks_for_a_key(policy: Policy, orders: Orders) -> None:
    where = f"{orders.listen} can be reached from other machines"
    accounts = policy.accounts
    if accounts is None or not accounts.key_required:
        lacks = "has no 'accounts'" if accounts is None else "asks for no key ('accounts.require_key')"
        raise ConfigError(
            f"{where}, but the policy {policy.id!r} {lacks}: whoever finds it could spend your providers' keys",
            hint="Give each client a virtual key (`drawbridge keys create`), listen on 127.0.0.1, or say "
            "--allow-anonymous.",
        )
    if accounts.bindings:
        raise ConfigError(
            f"{where}, but 'accounts.bindings' of the policy {policy.id!r} give keys to clients that show none",
            hint="Remove the bindings: a central node knows neither users, devices nor programs of its clients. "
            "Or say --allow-anonymous.",
        )


def _counts_in_one_place(policy: Policy, workers: int) -> None:
    accounts, cache = policy.accounts, policy.cache
    if accounts is not None and not accounts.store.shared:
        raise ConfigError(
            f"{workers} workers cannot count in a file of one process each: every budget would hold {workers} times",
            hint="Give 'accounts.store.url' as redis:// or rediss://, or say --workers 1.",
        )
    if cache.enabled and not cache.store.shared:
        raise ConfigError(
            f"{workers} workers cannot keep their answers in one file: each would have a cache of its own",
            hint="Give 'cache.store.url' as redis:// or rediss://, switch the cache off, or say --workers 1.",
        )
