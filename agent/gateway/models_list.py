"""The list of models that somebody may use, in the shapes in which clients ask for it (`/v1/models`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from agent.catalog.prices import PriceTable
from agent.routing.configured import ConfiguredProvider
from agent.routing.names import ModelNames, ModelRef, UnknownModel
from agent.routing.pricing import window

_UNKNOWN_DATE = "1970-01-01T00:00:00Z"  # Anthropic's own word for a date that is not known

type Allows = Callable[[ModelRef], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A name that can be asked for. `owner` is the provider's id, `drawbridge` for the policy's own names."""

    id: str
    owner: str
    window: int | None = None


def listed_models(
    names: ModelNames,
    providers: Mapping[str, ConfiguredProvider],
    aliases: Mapping[str, tuple[str, ...]],
    table: PriceTable,
    *,
    allows: Allows,
) -> tuple[ListedModel, ...]:
    """The policy's own names, then `provider/model` of all that is known, as far as `allows` lets this principal."""
    found: list[ListedModel] = []
    for alias in aliases:
        try:
            refs = [ref for ref in names.resolve(alias) if allows(ref)]
        except UnknownModel:
            continue
        if refs:
            found.append(ListedModel(id=alias, owner="drawbridge", window=window(table, refs[0])))
    for provider in providers.values():
        for name in names.served(provider):
            ref = ModelRef(provider=provider.id, model=provider.upstream_model(name), name=name)
            if allows(ref):
                found.append(ListedModel(id=str(ref), owner=provider.id, window=window(table, ref)))
    return tuple(found)


def one_model(
    name: str, names: ModelNames, aliases: Mapping[str, tuple[str, ...]], table: PriceTable, *, allows: Allows
) -> ListedModel | None:
    """The model that a client would get under a name, which need not be one that is listed; None where it would get
    none."""
    try:
        refs = [ref for ref in names.resolve(name) if allows(ref)]
    except UnknownModel:
        return None
    if not refs:
        return None
    owner = "drawbridge" if name in aliases else refs[0].provider
    return ListedModel(id=name, owner=owner, window=window(table, refs[0]))


def openai_model(model: ListedModel) -> dict[str, object]:
    """`GET /v1/models/{model}` of OpenAI (platform.openai.com/docs/api-reference/models/retrieve)."""
    return {"id": model.id, "object": "model", "created": 0, "owned_by": model.owner}


def openai_list(models: tuple[ListedModel, ...]) -> bytes:
    """`GET /v1/models` of OpenAI (platform.openai.com/docs/api-reference/models/list)."""
    return orjson.dumps({"object": "list", "data": [openai_model(model) for model in models]})


def anthropic_model(model: ListedModel) -> dict[str, object]:
    """`GET /v1/models/{model_id}` of Anthropic (platform.claude.com/docs/en/api/models/retrieve)."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.id,
        "created_at": _UNKNOWN_DATE,
        "lifecycle": "active",
        "max_input_tokens": model.window,
    }


def anthropic_list(models: tuple[ListedModel, ...]) -> bytes:
    """`GET /v1/models` of Anthropic (platform.claude.com/docs/en/api/models/list), all on one page."""
    return orjson.dumps(
        {
            "data": [anthropic_model(model) for model in models],
            "has_more": False,
            "first_id": models[0].id if models else None,
            "last_id": models[-1].id if models else None,
        }
    )


def gemini_model(model: ListedModel) -> dict[str, object]:
    """`GET /v1beta/models/{model}` of Gemini (ai.google.dev/api/models)."""
    return {
        "name": f"models/{model.id}",
        "displayName": model.id,
        **({"inputTokenLimit": model.window} if model.window is not None else {}),
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }


def gemini_list(models: tuple[ListedModel, ...]) -> bytes:
    """`GET /v1beta/models` of Gemini (ai.google.dev/api/models)."""
    return orjson.dumps({"models": [gemini_model(model) for model in models]})
