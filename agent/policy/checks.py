"""The policy's `checks`: slow detectors beside the local rules, remote services and classifiers, one class per kind.

A check finds, a guardrail decides: nothing here says what is done with a finding. A check that no guardrail selects
(`detect: [check/<id>]`) is never asked.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Literal, Self

import orjson
from pydantic import AfterValidator, Field, model_validator

from agent.model.content import Where
from agent.model.decision import Fallback
from agent.policy import fields
from agent.policy.section import Section

_MANY = 100
_REGION = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_GUARDRAIL = _REGION | frozenset(":/")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@")


def _made_of(letters: frozenset[str], wanted: str) -> AfterValidator:
    def check(text: str) -> str:
        if set(text) - letters:
            raise ValueError(f"must be {wanted}")
        return text

    return AfterValidator(check)


def _version(text: str) -> str:
    if text != "DRAFT" and not (text.isascii() and text.isdecimal() and text[0] != "0" and len(text) <= 8):
        raise ValueError("must be a version's number in quotes, such as '1', or DRAFT")
    return text


def _folder(text: str) -> str:
    if not (PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()):
        raise ValueError("must be the absolute path of a folder")
    return text


def _no_answer(where: Where) -> Where:
    if where is Where.ANSWER:
        raise ValueError("must be prompt or tool_result: this service knows no answers")
    return where


Name = Annotated[
    str,
    Field(min_length=1, max_length=200),
    _made_of(_NAME, "a name: letters, digits and '-', '_', '.', ':', '/', '@'"),
]
"""What a service calls something: a model, a project, a category."""

Names = Annotated[tuple[Name, ...], Field(max_length=_MANY)]
Key = Annotated[
    fields.SecretReference,
    Field(
        description="Reference to the service's key: env:NAME, file:/path, keyring:service/name or exec:/program."
    ),
]


class Breaker(Section):
    """When a service that fails is left alone for a while."""

    failures: int = Field(default=5, ge=1, le=100, description="Failed calls in a row after which it is.")
    seconds: float = Field(
        default=30.0, ge=1, le=3600, description="For how long; then one call tries again."
    )


class _Check(Section):
    id: fields.Slug = Field(description="Guardrails select its findings by check/<id>.")
    where: Annotated[tuple[Where, ...], Field(min_length=1)] = Field(
        default=tuple(Where), description="Parts of an exchange it is asked about; all by default."
    )
    timeout_ms: int = Field(
        default=800,
        ge=10,
        le=30_000,
        description="Deadline of all its calls for one request or answer, in milliseconds.",
    )
    on_error: Fallback | None = Field(
        default=None,
        description="When it is late, down, or answers nonsense: allow (recorded) or block; else the guardrail's, "
        "else the policy's on_error.",
    )
    max_chars: int = Field(
        default=100_000,
        ge=1000,
        le=5_000_000,
        description="New text of one request or answer that it is asked about; what is longer follows on_error.",
    )

    @property
    def digest(self) -> bytes:
        """Of the whole configuration: answers are remembered under it."""
        content = orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).digest()


class _RemoteCheck(_Check):
    redact_first: bool = Field(
        default=True,
        description="Replace credentials and personal data that the local rules find before a text is sent.",
    )
    concurrency: int = Field(default=8, ge=1, le=64, description="Calls at the same time, of all exchanges.")
    breaker: Breaker = Field(default=Breaker(), description="When a failing service is left alone.")


class BedrockCheck(_RemoteCheck):
    """A guardrail of AWS Bedrock (ApplyGuardrail)."""

    kind: Literal["bedrock"]
    region: Annotated[str, Field(min_length=1, max_length=64), _made_of(_REGION, "a region of AWS")] = Field(
        description="Region of the guardrail, such as eu-central-1."
    )
    guardrail: Annotated[
        str, Field(min_length=1, max_length=2048), _made_of(_GUARDRAIL, "a guardrail's id or ARN")
    ] = Field(description="The guardrail's id or ARN.")
    version: Annotated[str, AfterValidator(_version)] = Field(description="A number in quotes, or DRAFT.")
    url: fields.BaseUrl | None = Field(
        default=None, description="Instead of the region's public endpoint: a VPC endpoint's URL."
    )
    key: Key | None = Field(default=None, description="Reference to a Bedrock API key (bearer).")
    access_key: Key | None = Field(default=None, description="Reference to an access key's id.")
    secret_key: Key | None = Field(default=None, description="Reference to that access key's secret.")
    session_token: Key | None = Field(default=None, description="Reference to its session token, if any.")
    profile: Name | None = Field(
        default=None, description="A profile with static keys in the shared credentials file (~/.aws)."
    )

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("'access_key' and 'secret_key' belong together: give both or none")
        given = [each for each in (self.key, self.access_key, self.profile) if each is not None]
        if len(given) != 1:
            raise ValueError("needs exactly one of 'key', 'profile', or 'access_key' with 'secret_key'")
        if self.session_token is not None and self.access_key is None:
            raise ValueError("'session_token' belongs to an 'access_key'")
        return self


class AzureContentSafetyCheck(_RemoteCheck):
    """Azure AI Content Safety: hate, self-harm, sexual content, violence, and your blocklists."""

    kind: Literal["azure_content_safety"]
    url: fields.BaseUrl = Field(
        description="The resource's endpoint: https://<name>.cognitiveservices.azure.com"
    )
    key: Key
    categories: tuple[Literal["Hate", "SelfHarm", "Sexual", "Violence"], ...] = Field(
        default=(), description="Which categories are asked for; empty: all."
    )
    min_severity: Literal[2, 4, 6] = Field(
        default=4, description="The lowest severity that is a finding: 2 low, 4 medium, 6 high."
    )
    blocklists: Names = Field(default=(), description="Names of blocklists kept in the resource.")


class AzurePromptShieldsCheck(_RemoteCheck):
    """Azure AI Content Safety's Prompt Shields: attacks in prompts and in documents. Knows no answers."""

    kind: Literal["azure_prompt_shields"]
    where: Annotated[tuple[Annotated[Where, AfterValidator(_no_answer)], ...], Field(min_length=1)] = Field(
        default=(Where.PROMPT, Where.TOOL_RESULT), description="prompt and tool_result; it knows no answers."
    )
    url: fields.BaseUrl = Field(
        description="The resource's endpoint: https://<name>.cognitiveservices.azure.com"
    )
    key: Key


class OpenAIModerationCheck(_RemoteCheck):
    """OpenAI's moderation: harmful content only, no personal data, secrets or attacks."""

    kind: Literal["openai_moderation"]
    url: fields.BaseUrl = Field(default="https://api.openai.com", description="Base, without /v1.")
    key: Key
    model: Name = Field(default="omni-moderation-latest", description="The moderation model.")
    categories: Names = Field(default=(), description="Categories that are findings; empty: all.")
    min_score: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="A score that makes a finding, instead of the service's own flags.",
    )


class PatronusEvaluator(Section):
    """One evaluator, and the criteria by which it judges."""

    evaluator: Name = Field(description="Its name or alias, such as judge, toxicity or pii.")
    criteria: Name | None = Field(default=None, description="Such as patronus:prompt-injection.")


class PatronusCheck(_RemoteCheck):
    """Patronus evaluators. They take seconds."""

    kind: Literal["patronus"]
    url: fields.BaseUrl = Field(default="https://api.patronus.ai", description="Base, without /v1.")
    key: Key
    evaluators: Annotated[tuple[PatronusEvaluator, ...], Field(min_length=1, max_length=10)] = Field(
        description="Evaluators that must pass; one that does not is a finding."
    )


class LakeraCheck(_RemoteCheck):
    """Lakera Guard. Which detectors run is set in the project's policy at Lakera."""

    kind: Literal["lakera"]
    url: fields.BaseUrl = Field(
        default="https://api.lakera.ai", description="Base, without /v2; or of your own installation."
    )
    key: Key | None = Field(default=None, description="Reference to the key; own installations need none.")
    project: Name | None = Field(default=None, description="The project's id; none: Lakera's default policy.")


class PresidioCheck(_RemoteCheck):
    """A Presidio analyzer of your own."""

    kind: Literal["presidio"]
    url: fields.BaseUrl = Field(description="Base of the analyzer, without /analyze.")
    key: Key | None = Field(default=None, description="Reference to a bearer key, if a proxy asks for one.")
    language: Annotated[str, Field(min_length=2, max_length=10), _made_of(_REGION, "a language's code")] = (
        Field(default="en", description="Language of the texts, as configured in the analyzer.")
    )
    entities: Names = Field(default=(), description="Entities that are looked for; empty: all it knows.")
    min_score: float = Field(default=0.5, ge=0, le=1, description="Findings below this score are dropped.")


class WebhookCheck(_RemoteCheck):
    """A service of your own; see docs/checks.md for what it is asked and answers."""

    kind: Literal["webhook"]
    url: fields.BaseUrl = Field(description="The whole address that is posted to.")
    key: Key | None = Field(default=None, description="Reference to a bearer key.")


class OnnxCheck(_Check):
    """A classifier on this machine: a folder with model.onnx, tokenizer.json and manifest.json."""

    kind: Literal["onnx"]
    folder: Annotated[str, Field(max_length=1024), AfterValidator(_folder)] = Field(
        description="Absolute path of the folder; writable by nobody but its owner."
    )
    windows: int = Field(
        default=6,
        ge=1,
        le=64,
        description="How many windows of a text are looked at: head, tail, and spread.",
    )


Check = Annotated[
    BedrockCheck
    | AzureContentSafetyCheck
    | AzurePromptShieldsCheck
    | OpenAIModerationCheck
    | PatronusCheck
    | LakeraCheck
    | PresidioCheck
    | WebhookCheck
    | OnnxCheck,
    Field(discriminator="kind"),
]
"""One check of any kind."""
