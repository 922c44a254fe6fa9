"""Which adapter speaks for which kind of check. The one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.checks.azure import ContentSafety, PromptShields
from agent.checks.bedrock import Bedrock
from agent.checks.lakera import Lakera
from agent.checks.onnx.classifier import Classifier
from agent.checks.onnx.session import load_model
from agent.checks.onnx.worker import Worker
from agent.checks.openai_moderation import Moderation
from agent.checks.patronus import Patronus
from agent.checks.ports import Adapter, Http, Keys
from agent.checks.presidio import Presidio
from agent.checks.webhook import Webhook
from agent.policy import checks
from agent.policy.checks import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What adapters are given to work with. `clock` is monotonic, in seconds."""

    http: Http
    keys: Keys
    worker: Worker
    clock: Callable[[], float]


def build_adapter(check: Check, means: Means) -> Adapter:
    """The adapter of `check`. Opens nothing and imports nothing heavy: that happens when it is first asked."""
    http, keys = means.http, means.keys
    match check:
        case checks.BedrockCheck():
            return Bedrock(check, http, keys, clock=means.clock)
        case checks.AzureContentSafetyCheck():
            return ContentSafety(check, http, keys)
        case checks.AzurePromptShieldsCheck():
            return PromptShields(check, http, keys)
        case checks.OpenAIModerationCheck():
            return Moderation(check, http, keys)
        case checks.PatronusCheck():
            return Patronus(check, http, keys)
        case checks.LakeraCheck():
            return Lakera(check, http, keys)
        case checks.PresidioCheck():
            return Presidio(check, http, keys)
        case checks.WebhookCheck():
            return Webhook(check, http, keys)
        case checks.OnnxCheck():
            return Classifier(check, load_model, means.worker, clock=means.clock)
