"""The connection to a fleet's store."""

from __future__ import annotations

from agent.accounts.connection import connect


def test_a_client_is_made_without_connecting() -> None:
    client = connect("rediss://cache.example.com:6380/2", "secret")
    options = client.connection_pool.connection_kwargs
    assert (options["host"], options["port"], options["db"], options["password"]) == (
        "cache.example.com",
        6380,
        2,
        "secret",
    )
