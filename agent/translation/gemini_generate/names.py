"""Names in this format: fields in two spellings, models in paths, ids of calls that have none."""

from __future__ import annotations

import hashlib
from urllib.parse import parse_qs, unquote

from agent.errors import ContentError

_COLLECTIONS = ("/models/", "/tunedModels/", "/endpoints/")
_FIRST_SIGNED = 3  # the first generation of Gemini that thinks in levels and demands its signatures back


def camel(fields: dict[str, object]) -> dict[str, object]:
    """The fields in camelCase. It is protobuf JSON: snake_case means the same. Only for messages of the format, never
    for values inside them (arguments, schemas), whose keys are the client's own. Raises ContentError where one field
    comes in both."""
    for key in fields:
        if "_" in key:
            break
    else:
        return fields
    renamed = {_camel(key): value for key, value in fields.items()}
    if len(renamed) != len(fields):
        raise ContentError("a field in both spellings, camelCase and snake_case", hint="send it once")
    return renamed


def others(spelled: dict[str, object], where: str, known: frozenset[str]) -> list[str]:
    """The paths of the fields that are not `known` (in camelCase), as they were spelled. One that is null, empty or
    false says nothing."""
    if known.issuperset(spelled):
        return []
    return [f"{where}.{key}" for key, value in spelled.items() if value and _camel(key) not in known]


def _camel(key: str) -> str:
    head, *rest = key.lstrip("_").split("_")  # `_responseJsonSchema` is an older name of the same
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def model_and_method(path: str) -> tuple[str, str]:
    """`/v1beta/models/{model}:{method}`, `/v1/projects/…/models/{model}:{method}`."""
    head, _, method = path.rpartition(":")
    for collection in _COLLECTIONS:
        _, found, model = head.rpartition(collection)
        if found:
            return unquote(model), method
    return "", method


def asks_for_events(query: str) -> bool:
    """Whether a stream is wanted as server-sent events."""
    return "sse" in parse_qs(query).get("alt", ())


def is_signed(model: str) -> bool:
    """Whether the model is of the generations (3 and later) that think in levels, take files in tool results, and
    refuse a tool call of their own that comes back without its signature. Unknown names count as earlier ones."""
    name = model.rpartition("/")[2]
    if not name.startswith("gemini-"):
        return False
    generation = name.removeprefix("gemini-").partition("-")[0].partition(".")[0]
    if generation.isdecimal():
        return int(generation) >= _FIRST_SIGNED
    return name.endswith("-latest")


def call_id(index: int, *seeds: str) -> str:
    """The id of the call at `index` where the provider gave none: the same whenever the same bytes are read."""
    digest = hashlib.blake2b("\0".join(seeds).encode("utf-8", "surrogatepass"), digest_size=4)
    return f"call_{index}_{digest.hexdigest()}"
