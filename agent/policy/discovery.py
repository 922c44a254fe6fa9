"""What is looked for on the machine beside its traffic: AI software, local models, hosts that nobody catalogued."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from agent.model.inventory import Software, Source
from agent.policy import fields
from agent.policy.section import MANY, Section


def _name(text: str) -> str:
    if set(text) & set("#!") or not text.strip("* "):
        raise ValueError("must be a name; only '*' stands for something else than itself, and not alone")
    return text.lower()


_Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_name)]
Names = Annotated[tuple[_Name, ...], Field(max_length=MANY)]


class SoftwareRow(Section):
    """A program to look for. One with the id of a bundled row takes its place whole."""

    id: fields.Slug
    name: fields.Text = ""
    vendor: fields.Text = ""
    commands: Names = Field(default=(), description="Executables, without .exe or .cmd.")
    npm: Names = Field(default=(), description="Packages of Node.js, installed for good.")
    python: Names = Field(default=(), description="Distributions installed by pipx or uv.")
    brew: Names = Field(default=(), description="Formulae and casks of Homebrew.")
    macos: Names = Field(default=(), description="Applications of macOS, without .app.")
    windows: Names = Field(default=(), description="Programs of Windows, as its list of apps has them.")
    linux: Names = Field(default=(), description="Desktop entries, without .desktop; snaps, flatpaks.")
    vscode: Names = Field(default=(), description="Extensions of the VS Code family: publisher.name.")
    jetbrains: Names = Field(default=(), description="Folders of JetBrains plugins.")
    chromium: Names = Field(default=(), description="Ids of extensions of the Chromium family.")
    firefox: Names = Field(default=(), description="Ids of Firefox add-ons.")

    @model_validator(mode="after")
    def _can_be_found(self) -> SoftwareRow:
        if not self._names():
            raise ValueError("needs something to be found by, such as 'commands'")
        return self

    def software(self) -> Software:
        """The row as the catalog has them."""
        return Software(
            id=self.id,
            name=self.name or self.id,
            vendor=self.vendor,
            names=MappingProxyType(self._names()),
        )

    def _names(self) -> dict[Source, tuple[str, ...]]:
        named: dict[Source, tuple[str, ...]] = {source: getattr(self, source.value) for source in Source}
        return {source: names for source, names in named.items() if names}


class Discovery(Section):
    """What AI there is on this machine. Reads names and versions, no content; docs/inventory.md tells what."""

    enabled: bool = Field(default=True, description="Look for AI software and report what is new or gone.")
    every_hours: int = Field(default=24, ge=1, le=720, description="How often, beside once at the start.")
    unknown_hosts: bool = Field(
        default=True,
        description="Report which hosts outside the catalog AI programs connect to, browsers left out.",
    )
    software: Annotated[tuple[SoftwareRow, ...], Field(max_length=MANY)] = Field(
        default=(), description="Software of your own to look for."
    )
