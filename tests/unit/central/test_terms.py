"""A node does not start where anybody could spend the providers' keys, or where counters would not hold."""

from __future__ import annotations

import pytest

from agent.accounts.keys import hashed
from agent.central.orders import Address, Orders
from agent.central.terms import terms_of
from agent.errors import ConfigError
from agent.policy import Policy, load

EVERYBODY = Address(host="0.0.0.0", port=8080)
OURSELVES = Address(host="127.0.0.1", port=8080)
KEY = f"virtual_keys: [{{id: k, hash: '{hashed('x')}'}}]"
SHARED = "store: {url: 'rediss://accounts:6379/0'}"


def policy(*accounts: str, more: str = "") -> Policy:
    rows = "accounts:\n" + "".join(f"  {each}\n" for each in accounts) if accounts else ""
    return load(f"schema_version: 1\nid: p\n{rows}{more}", source="p.yaml")


def refused(orders: Orders, asked: Policy) -> str:
    with pytest.raises(ConfigError) as caught:
        terms_of(orders)(asked)
    return f"{caught.value} {caught.value.hint()}"


def test_other_machines_need_a_key() -> None:
    orders = Orders(listen=EVERYBODY)
    assert "has no 'accounts'" in refused(orders, policy())
    assert "asks for no key" in refused(orders, policy("virtual_keys: [{id: k}]"))
    assert "asks for no key" in refused(orders, policy("require_key: false", KEY))
    terms_of(orders)(policy(KEY))


def test_keys_are_not_given_to_whom_nobody_knows() -> None:
    bound = policy(KEY, "bindings: [{key: k}]")
    assert "'accounts.bindings'" in refused(Orders(listen=EVERYBODY), bound)
    terms_of(Orders(listen=OURSELVES))(bound)


@pytest.mark.parametrize(
    "orders", [Orders(listen=OURSELVES), Orders(listen=EVERYBODY, anonymous=True)], ids=["loopback", "told"]
)
def test_without_a_key_on_loopback_or_when_told(orders: Orders) -> None:
    terms_of(orders)(policy())


def test_several_workers_count_in_one_place() -> None:
    orders = Orders(listen=OURSELVES, workers=2)
    terms_of(orders)(policy())
    terms_of(orders)(policy(KEY, SHARED))
    assert "every budget would hold 2 times" in refused(orders, policy(KEY))
    assert "'cache.store.url'" in refused(orders, policy(more="cache: {enabled: true}\n"))
    store = "cache: {enabled: true, store: {url: 'rediss://cache:6379/0', secret: 'env:S'}}\n"
    terms_of(orders)(policy(more=store))


def test_another_place_to_count_in_takes_a_restart() -> None:
    accept = terms_of(Orders(listen=OURSELVES))
    accept(policy())
    accept(policy(KEY))  # on this machine, too
    with pytest.raises(ConfigError, match="than the node started with"):
        accept(policy(KEY, SHARED))
    with pytest.raises(ConfigError, match="than the node started with"):
        accept(policy(KEY, "history: {url: 'postgresql://u@db/usage'}"))
    accept(policy(KEY))


def test_a_node_knows_no_sign_ins() -> None:
    orders = Orders(listen=OURSELVES)
    assert "knows no sign-ins" in refused(orders, policy(more="apps: {require_sign_in: true}\n"))
    assert "knows no sign-ins" in refused(
        orders, policy(more="apps: {rules: [{id: r, state: approved, require_sign_in: true}]}\n")
    )
