"""`generationConfig`, both ways: how an answer is drawn, thought and shaped."""

from __future__ import annotations

from dataclasses import dataclass

from agent.model.conversation import Conversation, Effort, OutputFormat, OutputKind, Reasoning, Sampling
from agent.translation import expected, reasoning
from agent.translation.gemini_generate import names, schemas
from agent.translation.gemini_generate.names import camel
from agent.translation.gemini_generate.parts import Fields

_WHERE = "generationConfig"
_SAMPLING = (  # the format's name and the hub's
    ("maxOutputTokens", "max_tokens"),
    ("temperature", "temperature"),
    ("topP", "top_p"),
    ("topK", "top_k"),
    ("stopSequences", "stop"),
    ("seed", "seed"),
    ("frequencyPenalty", "frequency_penalty"),
    ("presencePenalty", "presence_penalty"),
    ("candidateCount", "choices"),
    ("responseLogprobs", "logprobs"),
    ("logprobs", "top_logprobs"),
)
_READ = frozenset(name for name, _ in _SAMPLING) | {
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "thinkingConfig",
}
_THINKING_FIELDS = frozenset(("includeThoughts", "thinkingBudget", "thinkingLevel"))
_LEVELS = {
    "MINIMAL": Effort.MINIMAL,
    "LOW": Effort.LOW,
    "MEDIUM": Effort.MEDIUM,
    "HIGH": Effort.HIGH,
    "XHIGH": Effort.XHIGH,
}
_EFFORTS = {  # these models cannot stop thinking; XHIGH is not taken by all of them
    Effort.NONE: "MINIMAL",
    Effort.MINIMAL: "MINIMAL",
    Effort.LOW: "LOW",
    Effort.MEDIUM: "MEDIUM",
    Effort.HIGH: "HIGH",
    Effort.XHIGH: "HIGH",
}
_NO_LIMIT = 1 << 20  # more than any of these models makes
_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a `generationConfig` says."""

    sampling: Sampling
    reasoning: Reasoning | None
    output: OutputFormat | None


def read(value: object, unread: list[str]) -> Settings:
    """The settings in a request. Raises ContentError with the field."""
    spelled = expected.fields(value, _WHERE)
    config = camel(spelled)
    unread += [
        f"{_WHERE}.{key}"
        for (key, one), name in zip(spelled.items(), config, strict=True)
        if one and name not in _READ and not (name == "responseModalities" and one == ["TEXT"])
    ]
    return Settings(
        sampling=_sampling(config),
        reasoning=_reasoning(config.get("thinkingConfig"), unread),
        output=_output(config, unread),
    )


def _sampling(config: Fields) -> Sampling:
    def count(name: str) -> int | None:
        return expected.count(config.get(name), f"{_WHERE}.{name}")

    def number(name: str) -> float | None:
        return expected.number(config.get(name), f"{_WHERE}.{name}")

    return Sampling(
        max_tokens=count("maxOutputTokens"),
        temperature=number("temperature"),
        top_p=number("topP"),
        top_k=count("topK"),
        stop=expected.strings(config.get("stopSequences"), f"{_WHERE}.stopSequences"),
        seed=count("seed"),
        frequency_penalty=number("frequencyPenalty"),
        presence_penalty=number("presencePenalty"),
        choices=count("candidateCount"),
        logprobs=expected.flag(config.get("responseLogprobs"), f"{_WHERE}.responseLogprobs"),
        top_logprobs=count("logprobs"),
    )


def _reasoning(value: object, unread: list[str]) -> Reasoning | None:
    where = f"{_WHERE}.thinkingConfig"
    spelled = expected.fields(value, where)
    unread += names.others(spelled, where, _THINKING_FIELDS)
    config = camel(spelled)
    level = expected.text(config.get("thinkingLevel"), f"{where}.thinkingLevel").upper()
    budget = expected.count(config.get("thinkingBudget"), f"{where}.thinkingBudget")
    shown = expected.flag(config.get("includeThoughts"), f"{where}.includeThoughts")
    if level not in _LEVELS and budget is None and not shown:
        return None
    return Reasoning(effort=_LEVELS.get(level), budget_tokens=budget, summary="auto" if shown else "")


def _output(config: Fields, unread: list[str]) -> OutputFormat | None:
    media_type = expected.text(config.get("responseMimeType"), f"{_WHERE}.responseMimeType")
    if media_type not in ("", "text/plain", _JSON):
        unread.append(f"{_WHERE}.responseMimeType={media_type}")
    schema = expected.schema(config.get("responseJsonSchema"), f"{_WHERE}.responseJsonSchema")
    if not schema and (openapi := expected.schema(config.get("responseSchema"), f"{_WHERE}.responseSchema")):
        converted = schemas.as_json_schema(openapi)
        schema = converted if isinstance(converted, dict) else {}
    if schema:
        return OutputFormat(kind=OutputKind.SCHEMA, schema=schema)
    return OutputFormat(kind=OutputKind.JSON) if media_type == _JSON else None


def write(conversation: Conversation) -> Fields:
    """The `generationConfig` of a request. All of sampling has its field."""
    config: Fields = {}
    for name, hub in _SAMPLING:
        value = getattr(conversation.sampling, hub)
        if value is not None and value != ():
            config[name] = list(value) if isinstance(value, tuple) else value
    wanted = conversation.reasoning
    if wanted and (thinking := _thinking(conversation.model, wanted, conversation.sampling.max_tokens)):
        config["thinkingConfig"] = thinking
    output = conversation.output
    if output and output.kind is not OutputKind.TEXT:
        config["responseMimeType"] = _JSON
        if output.kind is OutputKind.SCHEMA:
            config["responseJsonSchema"] = dict(output.schema)
    return config


def _thinking(model: str, wanted: Reasoning, max_tokens: int | None) -> Fields:
    """Levels for the models that have them, else a budget: the two exclude each other. A budget stays
    one, since the newer models still take it, but leaves room for the answer."""
    config: Fields = {}
    limit = max_tokens or _NO_LIMIT
    if wanted.budget_tokens is not None:
        config["thinkingBudget"] = reasoning.fitting(wanted.budget_tokens, limit)
    elif wanted.effort is not None:
        if names.is_signed(model):
            level = _EFFORTS[wanted.effort]
            config["thinkingLevel"] = "LOW" if level == "MINIMAL" and "-pro" in model else level
        else:
            config["thinkingBudget"] = reasoning.budget_of(wanted.effort, limit)
    if wanted.summary:
        config["includeThoughts"] = True
    return config
