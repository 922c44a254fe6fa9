"""What AI there is on a machine: the rows that say what is looked for, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Source(StrEnum):
    """Where software is listed; also the keys under which rows give its names there."""

    COMMANDS = "commands"  # executables in directories of programs
    NPM = "npm"  # packages of Node.js that are installed for good
    PYTHON = "python"  # distributions, in environments of their own
    BREW = "brew"  # formulae and casks
    MACOS = "macos"  # applications, by the name of their folder without .app
    WINDOWS = "windows"  # the name that a program registers for its removal
    LINUX = "linux"  # desktop entries without .desktop; snaps and flatpaks by their ids
    VSCODE = "vscode"  # extensions of the VS Code family
    JETBRAINS = "jetbrains"  # folders of plugins
    CHROMIUM = "chromium"  # extensions of the Chromium family
    FIREFOX = "firefox"  # add-ons


class Layout(StrEnum):
    """How names and versions stand in a directory."""

    NAMES = "names"  # each entry is a name
    NODE_MODULES = "node_modules"  # packages, some in a folder of their scope
    ENVIRONMENTS = "environments"  # a folder for each Python program, its distributions below
    VERSIONS = "versions"  # a folder for each name, in it one for each version
    BUNDLES = "bundles"  # NAME.app
    ENTRIES = "entries"  # NAME.desktop
    EXTENSIONS = "extensions"  # publisher.name-version
    ADD_ONS = "add-ons"  # ID.xpi


class FoundKind(StrEnum):
    """What a finding is."""

    APP = "app"
    COMMAND = "command"
    EDITOR_EXTENSION = "editor_extension"
    BROWSER_EXTENSION = "browser_extension"
    MODEL_SERVER = "model_server"
    MCP_SERVER = "mcp_server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    """A program that is looked for. `names` has what it is called in each source; lower case, `*` for anything."""

    id: str
    name: str
    vendor: str = ""
    names: Mapping[Source, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Directories of one platform in which a source's names stand. `~` is a home, `%NAME%` a variable of Windows, `*`
    any one folder. `host` is the program that what stands there belongs to."""

    source: Source
    layout: Layout
    paths: tuple[str, ...]
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelServer:
    """A program that serves models on this machine, and how it tells which. `models` is the path to ask, empty where it
    tells nobody; `names` leads through the answer to them, `*` through a list."""

    app: str  # id of the catalog
    models: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class McpConfig:
    """The files in which a client keeps its MCP servers. Each of `keys` leads to a table of them (`*`: through any), or
    to a list whose entries have a `name`."""

    app: str
    format: str  # json (with comments), toml, yaml
    keys: tuple[tuple[str, ...], ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that is looked for on one platform."""

    software: tuple[Software, ...] = ()
    places: tuple[Place, ...] = ()
    servers: tuple[ModelServer, ...] = ()
    configs: tuple[McpConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A name that stands in a source. `user` is empty where it is there for all; `place` tells where it was read."""

    source: Source
    name: str
    version: str = ""
    host: str = ""
    user: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing. `id` is the catalog's of the program (of an MCP server: of the client that has it configured), `host`
    what it lives in. `port` and `models` are a model server's; `transport` is an MCP server's: stdio, http, sse."""

    kind: FoundKind
    id: str
    name: str
    version: str = ""
    host: str = ""
    user: str = ""
    place: str = ""
    port: int = 0
    models: tuple[str, ...] = ()
    transport: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """The same for the same thing in another version, or installed a second time."""
        return (self.kind.value, self.id, self.name, self.host, self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What was found. `unread` are users whose homes could not be listed: of them nothing is known."""

    found: tuple[Found, ...] = ()
    unread: tuple[str, ...] = ()
