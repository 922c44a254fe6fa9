"""Which tools of MCP servers a request gives a model."""

from __future__ import annotations

import orjson
import pytest

from agent.inspection.mcp_tools import offers


def function(name: str) -> dict[str, object]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"tools": [function("mcp__github__create_issue"), function("Bash")]}, [("github/create_issue",)]),
        ({"functions": [{"name": "mcp__github__list"}]}, [("github/list",)]),
        ({"tools": [{"name": "mcp__github__a__b", "input_schema": {}}]}, [("github/a__b",)]),
        ({"tools": [{"functionDeclarations": [{"name": "mcp_jira_find_one"}]}]},
         [("jira/find_one", "jira_find/one")]),
        ({"request": {"tools": [{"function_declarations": [{"name": "mcp_x"}]}]}}, [("x/*",)]),
        ({"toolConfig": {"tools": [{"toolSpec": {"name": "mcp__s__t"}}]}}, [("s/t",)]),
        ({"tools": [{"type": "mcp", "server_label": "deepwiki"}]}, [("deepwiki/*",)]),
        ({"tools": [{"type": "mcp", "server_label": "d", "allowed_tools": ["a", "b"]}]}, [("d/a",), ("d/b",)]),
        ({"tools": [{"type": "mcp", "server_label": "d", "allowed_tools": {"tool_names": ["a"]}}]}, [("d/a",)]),
        ({"tools": [{"type": "mcp", "server_label": "d", "allowed_tools": {"read_only": True}}]}, [("d/*",)]),
        ({"response": {"tools": [{"type": "mcp", "server_label": "d"}]}}, [("d/*",)]),
        ({"tools": [{"type": "namespace", "name": "mcp__calendar", "tools": [{"name": "list"}]}]},
         [("calendar/list",)]),
        ({"tools": [{"type": "namespace", "name": "crm", "tools": [function("mcp__a__b")]}]}, [("a/b",)]),
        ({"mcp_servers": [{"name": "s", "tool_configuration": {"allowed_tools": ["t"]}}]}, [("s/t",)]),
        ({"mcp_servers": [{"name": "s", "tool_configuration": {"enabled": True}}]}, [("s/*",)]),
        ({"mcp_servers": [{"name": "s", "tool_configuration": {"enabled": False}}]}, []),
        ({"mcp_servers": [{"name": "s"}], "tools": [{"type": "mcp_toolset", "mcp_server_name": "s"}]}, [("s/*",)]),
        ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "s", "default_config": {"enabled": False},
                     "configs": {"a": {"enabled": True}, "b": {"enabled": False}, "c": {}}}]},
         [("s/a",), ("s/c",)]),
        ({"tools": [function("use_mcp_tool")]}, [("*/*",)]),
        ({"tools": [function("Read"), {"type": "web_search"}], "mcp_servers": "?"}, []),
        ([], []),
    ],
)  # fmt: skip
def test_each_way_to_offer_one_is_read(document: object, found: list[tuple[str, ...]]) -> None:
    assert list(offers(orjson.dumps(document))) == found


def test_what_is_no_json_offers_none() -> None:
    assert list(offers(b"--form")) == []
