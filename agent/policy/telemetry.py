"""The policy's `telemetry`: what is told to operators, where it goes, and how much of it.

Says what may stand there; what is made of it: `agent.telemetry`. Neither metrics nor spans ever hold content.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from agent.policy import fields
from agent.policy.section import Section

_ATTRIBUTE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
_OURS = ("gen_ai.", "drawbridge.")


def _attribute(name: str) -> str:
    if not name or set(name) - _ATTRIBUTE or not name[0].isalpha():
        raise ValueError(
            "must be lower-case letters, digits, '.', '_' or '-', such as deployment.environment.name"
        )
    if name.startswith(_OURS):
        raise ValueError("must not start with gen_ai. or drawbridge.: these are set here")
    return name


AttributeName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_attribute)]
AttributeValue = Annotated[str, Field(max_length=256)]


class Otlp(Section):
    """A collector that gets spans and metrics by OTLP over HTTP (protobuf)."""

    endpoint: fields.BaseUrl = Field(
        description="Such as https://collector.example.com:4318, before /v1/traces; http only for loopback."
    )
    headers: Annotated[dict[fields.HeaderName, fields.SecretReference], Field(max_length=10)] = Field(
        default={}, description="Headers that the collector wants, such as an API key: references only."
    )
    sample_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="The part of the traces that is sent. Failed and blocked exchanges always are; where the client "
        "sent a traceparent, its own decision counts.",
    )
    interval_seconds: float = Field(default=10.0, ge=1, le=300, description="How often something is sent.")
    traces: bool = True
    metrics: bool = True
    resource: Annotated[dict[AttributeName, AttributeValue], Field(max_length=20)] = Field(
        default={}, description="Further attributes of this machine, such as deployment.environment.name."
    )


class Metrics(Section):
    """Prometheus metrics on the loopback listener, at /metrics and /-/metrics."""

    enabled: bool = Field(default=True, description="false: nothing is counted and the page is not there.")
    token: fields.SecretReference | None = Field(
        default=None,
        description="What a scraper shows as a bearer token; the control token of this machine always serves.",
    )
    user_labels: bool = Field(
        default=False, description="Count by account of this machine too: who asked how much."
    )
    label_values: int = Field(
        default=100, ge=5, le=5000, description="Values of one label, beyond which they count as 'other'."
    )


class Telemetry(Section):
    """What operators are told: numbers, never content."""

    otlp: Otlp | None = Field(default=None, description="Nothing is sent anywhere where it is left out.")
    metrics: Metrics = Metrics()
    propagate: bool = Field(
        default=False,
        description="Hand W3C trace context on to public providers too, not only to own central gateways and private "
        "providers.",
    )
