"""The section `guardrails`: what is done with findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from agent.model.content import Role, Where
from agent.model.decision import Fallback, Severity
from agent.policy import fields, message
from agent.policy.section import Scope, Section

SPEAKERS: Mapping[Where, frozenset[Role]] = {
    Where.PROMPT: frozenset({Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL_CALL, Role.FILE}),
    Where.TOOL_RESULT: frozenset({Role.TOOL_RESULT, Role.FILE}),
    Where.ANSWER: frozenset({Role.ASSISTANT, Role.TOOL_CALL}),
}
"""Who speaks in which part of an exchange. A prompt brings all of the conversation along; a file belongs to the prompt,
but instructions to the model that stand in it are looked for as in a tool's result: nobody present wrote them."""

_Texts = Annotated[tuple[fields.ExampleText, ...], Field(max_length=50)]


class Examples(Section):
    """Texts that show what a rule is for. They are tried whenever the policy is read."""

    match: _Texts = Field(default=(), description="Texts on which the rule must decide.")
    no_match: _Texts = Field(default=(), description="Texts on which it must not.")


class Guardrail(Scope):
    """Says what is done with findings. The first guardrail that fits a finding decides; none allows."""

    id: fields.Slug
    description: fields.Text = ""
    detect: Annotated[tuple[fields.Selector, ...], Field(min_length=1, max_length=100)] = Field(
        description="Families (secret, pii, injection, label, custom, check) or family/type; the type is a glob."
    )
    where: Annotated[tuple[Where, ...], Field(min_length=1)] = Field(
        default=tuple(Where), description="Parts of an exchange; all by default."
    )
    roles: tuple[Role, ...] = Field(default=(), description="Who speaks in the text; everybody by default.")
    action: fields.GuardrailAction = Field(
        description="What is done; allow makes an exception from the guardrails behind this one."
    )
    severity: fields.SeverityWord | None = Field(
        default=None,
        description="How much a hit matters to those who read the events; by default the action's.",
    )
    threshold: fields.Share = Field(
        default=0.0, description="Findings whose score is lower are left to the next guardrail."
    )
    at_least: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="So many different values must be found in that part of the request; not for answers.",
    )
    sampling: fields.Share = Field(
        default=1.0, description="The share of exchanges that this guardrail looks at, by their reference."
    )
    shadow: bool = Field(default=False, description="On trial: hits are recorded, nothing is done.")
    message: fields.Template | None = Field(default=None, description="Instead of the policy's message.")
    on_error: Fallback | None = Field(
        default=None, description="What to do when the check itself fails, instead of the policy's on_error."
    )
    examples: Examples = Field(default=Examples(), description="Tried whenever the policy is read.")

    @model_validator(mode="after")
    def _counts_requests_only(self) -> Self:
        if self.at_least > 1 and Where.ANSWER in self.where:
            raise ValueError(
                "'at_least' cannot count an answer, which goes out while it comes in: "
                "add 'where: [prompt, tool_result]'"
            )
        return self

    @model_validator(mode="after")
    def _roles_can_speak(self) -> Self:
        speakers = frozenset[Role]().union(*(SPEAKERS[where] for where in self.where))
        for role in self.roles:
            if role not in speakers:
                raise ValueError(f"'roles': {role} never speaks in: {', '.join(self.where)}")
        return self

    @property
    def grade(self) -> Severity:
        """The severity of its hits."""
        return Severity.of(self.action) if self.severity is None else self.severity


class Ask(Section):
    """What the action `ask` says, and how long a reason holds."""

    minutes: int = Field(
        default=60, ge=1, le=1440, description="How long a reason that was given covers the same findings."
    )
    terminal: bool = Field(
        default=True,
        description="Only reasons given at a terminal count: an AI agent that runs commands has none.",
    )
    message: fields.Template = Field(
        default=message.ASK,
        description="What a client shows that must ask; {reason}, {rule} and {ref} are filled in.",
    )
