"""MCP servers in configurations: names and kinds of transport, no value of theirs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalog.mcp_servers import MAX_SERVERS, servers, without_comments
from agent.errors import ContentError

SERVERS = (("mcpServers",),)
SECRET = "not-to-be-seen"

SAID = {
    "files": {"command": "npx", "args": ["--key", SECRET], "env": {"TOKEN": SECRET}},
    "web": {"url": f"https://u:{SECRET}@x", "headers": {"authorization": SECRET}},
    "old": {"type": "SSE", "url": "https://x"},
    "ours": {"type": "local", "command": ["x"]},
    "odd": {"type": SECRET},
    "none": None,
}


def test_names_and_transports_are_all_that_is_told() -> None:
    found = servers(json.dumps({"mcpServers": SAID}).encode(), "json", SERVERS)
    assert found == (("files", "stdio"), ("web", "http"), ("old", "sse"), ("ours", "stdio"), ("odd", ""))
    assert SECRET not in repr(found)


def test_servers_of_projects_and_lists_count_each_once() -> None:
    claude = {"mcpServers": {"a": {"command": "x"}}, "projects": {"/p": {"mcpServers": {"b": {"url": "x"}}}}}
    keys = (("mcpServers",), ("projects", "*", "mcpServers"))
    assert servers(json.dumps(claude).encode(), "json", keys) == (("a", "stdio"), ("b", "http"))
    continued = (
        b"mcpServers:\n  - {name: a, command: x}\n  - {name: b, type: streamable-http, url: y}\n  - 7\n"
    )
    assert servers(continued, "yaml", SERVERS) == (("a", "stdio"), ("b", "http"))
    codex = b'[mcp_servers.docs]\ncommand = "x"\n[mcp_servers.hub]\nurl = "y"\n'
    assert servers(codex, "toml", (("mcp_servers",),)) == (("docs", "stdio"), ("hub", "http"))


def test_json_may_be_written_as_editors_write_it() -> None:
    text = """\ufeff{ // a comment with "quotes
  /* and "another */ "servers": {"a//b": {"command": "x, ]", "url": "y\\"//z",},},
}"""
    assert servers(text.encode(), "json", (("servers",),)) == (("a//b", "stdio"),)


@pytest.mark.parametrize(
    ("data", "form"),
    [(b"{", "json"), (b"\xff", "json"), (b"[" * 100_000, "json"), (b"a = ", "toml"), (b"a: [", "yaml")],
)
def test_what_is_not_in_its_format_is_an_error(data: bytes, form: str) -> None:
    with pytest.raises(ContentError):
        servers(data, form, SERVERS)


@pytest.mark.parametrize("data", [b"[]", b"7", b'{"mcpServers": 7}', b'{"mcpServers": {"": {}}}', b"null"])
def test_what_has_no_servers_has_none(data: bytes) -> None:
    assert servers(data, "json", SERVERS) == ()


def test_there_is_an_end_to_them() -> None:
    many = {"mcpServers": {f"s{number}": {"command": "x"} for number in range(MAX_SERVERS + 9)}}
    assert len(servers(json.dumps(many).encode(), "json", SERVERS)) == MAX_SERVERS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_plain_json_means_the_same_without_comments(value: object) -> None:
    assert json.loads(without_comments(json.dumps(value))) == value
