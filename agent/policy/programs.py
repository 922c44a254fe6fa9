"""Programs that a company adds to the known ones, or describes otherwise than the catalog does."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from agent.model.app import App, AppKind, HeaderMark
from agent.policy import fields
from agent.policy.section import MANY, Section


def _pattern(text: str) -> str:
    if set(text) & set("#!?[") or not text.strip("* "):
        raise ValueError("must be a name; only '*' stands for something else than itself, and not alone")
    return text


def _mark(text: str) -> str:
    HeaderMark.parse(text)
    return text


def _part(text: str) -> str:
    if "/" not in text or len(text.strip("/")) < 2:
        raise ValueError("must be a part of a path, with '/' (on Windows, too), such as /acme-agent/")
    return text


Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_pattern)]
Names = Annotated[tuple[Name, ...], Field(max_length=MANY)]
Parts = Annotated[
    tuple[Annotated[str, Field(min_length=3, max_length=256), AfterValidator(_part)], ...],
    Field(max_length=MANY),
]
Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(max_length=MANY)]
Marks = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_mark)], ...],
    Field(max_length=MANY),
]


class ProgramRow(Section):
    """One program, by an id that rules name in `apps`. See docs/apps.md for how programs are told."""

    id: fields.Slug
    name: fields.Text = ""
    vendor: fields.Text = ""
    kind: AppKind = Field(default=AppKind.TOOL, strict=False)
    names: Names = Field(default=(), description="Names of executables or scripts; '*' for anything.")
    paths: Parts = Field(default=(), description="Parts of executables' paths.")
    scripts: Parts = Field(default=(), description="Parts of the paths of scripts that an interpreter runs.")
    modules: Words = Field(default=(), description="Modules, as in python -m NAME.")
    bundles: Names = Field(default=(), description="macOS bundle identifiers.")
    teams: Words = Field(default=(), description="Apple team identifiers of its maker.")
    signing_ids: Words = Field(
        default=(), description="Identifiers of signed programs on macOS; needs teams."
    )
    signers: Words = Field(default=(), description="Organisations in its Windows certificates.")
    packages: Words = Field(default=(), description="Linux packages, or snap:NAME.")
    user_agents: Words = Field(
        default=(), description="The first product of its User-Agent, without version."
    )
    headers: Marks = Field(default=(), description="Headers that tell it: 'name' or 'name: value'.")
    hosted_by: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] = Field(
        default=(), description="Ids of the programs in whose process it may live."
    )

    @model_validator(mode="after")
    def _can_be_told(self) -> ProgramRow:
        if self.signing_ids and not self.teams:
            raise ValueError("'signing_ids' count only with the 'teams' of who signs")
        told_by = (
            self.names,
            self.paths,
            self.scripts,
            self.modules,
            self.bundles,
            self.signing_ids,
            self.packages,
            self.user_agents,
            self.headers,
        )
        if not any(told_by):
            raise ValueError("needs something to tell it by, such as 'names'")
        return self

    def app(self) -> App:
        """The row as the catalog has them."""
        return App(
            id=self.id,
            name=self.name or self.id,
            vendor=self.vendor,
            kind=self.kind,
            names=self.names,
            paths=self.paths,
            scripts=self.scripts,
            modules=self.modules,
            bundles=self.bundles,
            teams=self.teams,
            signing_ids=self.signing_ids,
            signers=self.signers,
            packages=self.packages,
            user_agents=self.user_agents,
            headers=tuple(map(HeaderMark.parse, self.headers)),
            hosted_by=self.hosted_by,
        )
