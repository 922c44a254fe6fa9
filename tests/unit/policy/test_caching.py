"""What a policy may say about the cache, and what it must say."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy import KnownNames, load
from agent.policy.caching import Caching, PartitionBy, Reach

HEAD = "schema_version: 1\nid: p\ncache: "
LOCAL = "embedder: {local: /models/m}"


def read(section: str) -> Caching:
    return load(f"{HEAD}{section}\n", source="p.yaml").cache


def errors(section: str, known: KnownNames | None = None) -> str:
    with pytest.raises(PolicyError) as caught:
        load(f"{HEAD}{section}\n", source="p.yaml", known=known or KnownNames())
    return str(caught.value)


def test_it_is_off_and_private_by_default() -> None:
    section = read("{}")
    assert (section.enabled, section.semantic.enabled, section.share_across_users) == (False, False, False)
    assert section.parts == (PartitionBy.USER, PartitionBy.VIRTUAL_KEY)
    assert not section.store.shared


def test_sharing_is_said_in_so_many_words() -> None:
    assert read("{share_across_users: true}").parts == (PartitionBy.VIRTUAL_KEY,)
    assert read("{share_across_users: true, partition: []}").parts == ()
    assert read("{partition: [user, policy, app]}").parts == (
        PartitionBy.APP,
        PartitionBy.POLICY,
        PartitionBy.USER,
    )


def test_a_change_of_what_counts_as_the_same_begins_anew() -> None:
    same = Caching(ttl_seconds=60).digest()
    assert same == Caching().digest()
    assert Caching(partition=(PartitionBy.USER,)).digest() != same


def test_a_rule_may_reach_the_semantic_cache() -> None:
    section = read(
        f"{{semantic: {{{LOCAL}}}, rules: [{{id: r, apps: [ide], use: semantic, threshold: 0.97}}]}}"
    )
    assert section.rules[0].use is Reach.SEMANTIC


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("{partition: [app]}", "does not tell users apart: add user, or say share_across_users"),
        ("{partition: [user], share_across_users: true}", "tells users apart: choose one"),
        ("{partition: [team, usr]}", "must be one of"),
        ("{semantic: {enabled: true}}", "'embedder' is required where semantic is enabled"),
        ("{semantic: {embedder: {}}}", "needs either 'provider' or 'local'"),
        ("{semantic: {embedder: {local: models/m}}}", "must be the absolute path of a folder"),
        ("{semantic: {embedder: {provider: openai}}}", "must be provider/model"),
        ("{rules: [{id: r, use: semantic}]}", "has no 'embedder'"),
        ("{rules: [{id: r, use: none}]}", "must be one of"),
        ("{rules: [{id: r, use: exact}, {id: r, use: exact}]}", "ids must be unique"),
        ("{store: {url: 'redis://cache.example:6379'}}", "must start with rediss://"),
        ("{store: {url: 'rediss://:pw@cache.example'}}", "must not hold a password"),
        ("{store: {url: 'rediss://cache.example/x'}}", "number of a database"),
        ("{store: {url: 'rediss://cache.example:99999'}}", "neither 'sqlite' nor a URL"),
        ("{store: {url: 'postgres://cache.example'}}", "must be 'sqlite' or a URL"),
        ("{store: {url: 'rediss://cache.example'}}", "'secret' is required"),
        ("{store: {password: 'env:P'}}", "are for a store on a server"),
        ("{ttl: 5}", "unknown key 'ttl'"),
    ],
)
def test_mistakes_are_told(section: str, wrong: str) -> None:
    assert wrong in errors(section)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_server_of_this_machine_needs_no_tls(host: str) -> None:
    section = read(f"{{store: {{url: 'redis://{host}:6379/1', secret: 'env:S'}}}}")
    assert section.store.shared


def test_a_rule_names_surfaces_of_the_catalog() -> None:
    known = KnownNames(surfaces=frozenset({"openai"}))
    assert "'opnai' is no surface" in errors("{rules: [{id: r, use: exact, surfaces: [opnai]}]}", known)
