"""Policy is data: YAML text becomes an immutable snapshot, and pure functions answer questions about it.

Nothing here reads files, compiles detectors for use or carries a verdict out: `mode` and `on_error` are
applied by the callers of these functions, each in one place.
"""

from agent.policy import access, guardrails, message
from agent.policy.access import AccessVerdict
from agent.policy.cross_checks import KnownNames
from agent.policy.document import (
    AccessRule,
    Central,
    ClientDistrust,
    Detector,
    DistrustAction,
    Mode,
    Policy,
    Route,
    UnknownFormat,
    UnknownSurface,
    Upstream,
)
from agent.policy.explanation import Step, explain
from agent.policy.guardrail import Ask, Examples, Guardrail
from agent.policy.loading import load
from agent.policy.packs import Pack, PackFormat
from agent.policy.providers import Key, Price, ProviderSettings
from agent.policy.schema import json_schema
from agent.policy.scope import Destination, Subject

__all__ = [
    "AccessRule",
    "AccessVerdict",
    "Ask",
    "Central",
    "ClientDistrust",
    "Destination",
    "Detector",
    "DistrustAction",
    "Examples",
    "Guardrail",
    "Key",
    "KnownNames",
    "Mode",
    "Pack",
    "PackFormat",
    "Policy",
    "Price",
    "ProviderSettings",
    "Route",
    "Step",
    "Subject",
    "UnknownFormat",
    "UnknownSurface",
    "Upstream",
    "access",
    "explain",
    "guardrails",
    "json_schema",
    "load",
    "message",
]
