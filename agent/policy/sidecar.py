"""The examples beside a policy: `name.examples.yaml` says what `name.yaml` does with typical findings, texts and
requests. Says what may stand there, runs nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.model.content import Role, Where
from agent.policy import fields
from agent.policy.apps import DEFAULT_RULE, AppWay, EvidenceWord, LoginWord, State, TenancyWord
from agent.policy.section import MANY, Section

_Name = Annotated[str, Field(max_length=512)]


class _Case(Section):
    """Who asks for what, as far as it matters, and what should come of it."""

    host: _Name = "api.openai.com"
    path: _Name = ""
    surface: _Name | None = Field(default=None, description="By default what the catalog says of the host.")
    app: _Name = ""
    model: _Name = ""
    user: _Name = ""
    rule: fields.Slug | None = Field(
        default=None, description="The rule that decides; none where it is left out."
    )


class FindingCase(_Case):
    """A finding without its text."""

    finding: fields.Selector = Field(description="family/type")
    where: Where = Where.PROMPT
    role: Role | None = None
    score: fields.Share = 1.0
    action: fields.GuardrailAction


class TextCase(_Case):
    """A text, judged by everything the policy has. Write no real credential here."""

    text: fields.ExampleText
    where: Where = Where.PROMPT
    role: Role | None = None
    action: fields.GuardrailAction


class AttachmentCase(Section):
    """Something in a request that is no text."""

    kind: _Name = "file"
    media_type: _Name = ""
    size: Annotated[int, Field(ge=0)] | None = None
    name: _Name = ""
    type: _Name = Field(default="", description="What it is by its content.")
    problem: _Name = Field(default="", description="Why it could not be read, such as encrypted.")
    readable: bool | None = None
    characters: Annotated[int, Field(ge=0)] | None = None
    pages: Annotated[int, Field(ge=0)] | None = None


class AccessCase(_Case):
    """A request, judged by the access rules and those for attachments."""

    size: Annotated[int, Field(ge=0)] = 0
    attachments: Annotated[tuple[AttachmentCase, ...], Field(max_length=100)] = ()
    action: fields.AccessAction


class AppCase(Section):
    """A program that asks, judged by `apps`."""

    host: _Name = "api.openai.com"
    path: _Name = Field(default="", description="By default one where a model is asked.")
    surface: _Name | None = Field(default=None, description="By default what the catalog says of the host.")
    app: _Name = ""
    user: _Name = ""
    groups: Annotated[tuple[_Name, ...], Field(max_length=100)] = ()
    signed_in: _Name = Field(default="", description="The name of the sign-in; empty: nobody has signed in.")
    device: _Name = ""
    evidence: EvidenceWord = Field(default="process", description="How the program is known.")
    login: LoginWord = "unknown"
    tenancy: TenancyWord = "unknown"
    plan: _Name = ""
    organisation: _Name = ""
    state: State
    rule: fields.Slug = Field(default=DEFAULT_RULE, description="What decides its state.")
    action: Literal["allow", "alert", "block"] = "allow"
    routing: AppWay | None = None


class Sidecar(Section):
    """All examples of a policy."""

    findings: Annotated[tuple[FindingCase, ...], Field(max_length=MANY)] = ()
    texts: Annotated[tuple[TextCase, ...], Field(max_length=MANY)] = ()
    access: Annotated[tuple[AccessCase, ...], Field(max_length=MANY)] = ()
    apps: Annotated[tuple[AppCase, ...], Field(max_length=MANY)] = ()
