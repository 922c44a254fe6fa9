"""Which tools of MCP servers a request gives a model: those that its provider is to call, and those that the client's
own program calls for it, by the names that agents give them. Pure.

Sources: OpenAI's guide "Connectors and MCP servers" (`type: mcp`), Anthropic's "MCP connector" (`mcp_servers`,
`mcp_toolset`), Gemini's `functionDeclarations`, Bedrock's `toolConfig`; names of agents: `agent/catalog/harness.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from agent.dialects.shapes import mapping, objects, string

ANY = "*"
"""Stands for every tool of a server, or for a server that nobody names."""
_WITHIN = ("", "response", "session", "request")  # where a document may wrap the request
_FUNCTIONS = ("functionDeclarations", "function_declarations")
_CALLS_ANY = frozenset({"use_mcp_tool"})
"""Tools that call whichever tool of whichever server their arguments name (Cline and its kin)."""

type Offer = tuple[str, ...]
"""The names `server/tool` that one offered tool may go by: several, where its name can be read in several ways."""


def offers(body: bytes) -> Iterator[Offer]:
    """The MCP tools that a JSON request offers; none where it is no JSON object."""
    try:
        document = mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return
    for wrap in _WITHIN:
        asked = document if not wrap else mapping(document.get(wrap))
        for name in ("tools", "functions"):
            for _, tool in objects(asked.get(name)):
                yield from _of_tool(tool)
        for config in ("toolConfig", "tool_config"):
            for _, tool in objects(mapping(asked.get(config)).get("tools")):
                yield from _of_tool(tool)
        for _, server in objects(asked.get("mcp_servers")):
            yield from _of_server(server)


def _of_tool(tool: dict[str, object]) -> Iterator[Offer]:
    match tool.get("type"):
        case "mcp":
            yield from _listed(string(tool.get("server_label")), tool.get("allowed_tools"))
        case "mcp_toolset":
            yield from _of_toolset(tool)
        case (
            "namespace"
        ):  # Responses: tools in groups; of Codex those of an MCP server are one, `mcp__server`
            group = string(tool.get("name")).lower()
            for _, inner in objects(tool.get("tools")):
                if group.startswith("mcp__"):
                    yield (f"{group[5:].strip('_')}/{string(inner.get('name'))}",)
                else:
                    yield from _of_tool(inner)
        case _:
            spec = mapping(tool.get("toolSpec"))
            functions = [mapping(tool.get("function")), spec, tool]
            for key in _FUNCTIONS:
                functions += [one for _, one in objects(tool.get(key))]
            for function in functions:
                yield from _of_name(string(function.get("name")))


def _of_toolset(tool: dict[str, object]) -> Iterator[Offer]:
    """Anthropic's newer form: tools are on unless the default or their own row says otherwise."""
    server = string(tool.get("mcp_server_name"))
    rows = mapping(tool.get("configs"))
    if mapping(tool.get("default_config")).get("enabled") is not False:
        yield (f"{server}/{ANY}",)
        return
    for name, row in rows.items():
        if mapping(row).get("enabled") is not False:
            yield (f"{server}/{name}",)


def _of_server(server: dict[str, object]) -> Iterator[Offer]:
    """Anthropic's older form, whose servers say themselves which of their tools are on. In the newer one a toolset
    does."""
    config = server.get("tool_configuration")
    if isinstance(config, dict) and config.get("enabled") is not False:
        yield from _listed(string(server.get("name")), config.get("allowed_tools"))


def _listed(server: str, allowed: object) -> Iterator[Offer]:
    """A list of names, or an object that has one; without, all."""
    names = mapping(allowed).get("tool_names") if isinstance(allowed, dict) else allowed
    if not isinstance(names, list):
        yield (f"{server}/{ANY}",)
        return
    for name in names:
        yield (f"{server}/{string(name)}",)


def _of_name(name: str) -> Iterator[Offer]:
    """What an agent calls the tool of a server: `mcp__server__tool` (Claude Code, Codex) says where its parts end,
    `mcp_server_tool` (Gemini CLI, Copilot, Cursor) does not."""
    lower = name.lower()
    if lower in _CALLS_ANY:
        yield (f"{ANY}/{ANY}",)
    elif lower.startswith("mcp__"):
        server, _, tool = name[5:].partition("__")
        yield (f"{server}/{tool or ANY}",)
    elif lower.startswith("mcp_"):
        words = name[4:].split("_")
        ways = (("_".join(words[:cut]), "_".join(words[cut:])) for cut in range(1, len(words)))
        yield tuple(f"{server}/{tool}" for server, tool in ways) or (f"{name[4:]}/{ANY}",)
