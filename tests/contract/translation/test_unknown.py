"""No field of a request is lost silently: what a reader does not know it names, wherever it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.model.conversation import Conversation
from agent.translation.base import Losses, Translator
from agent.translation.registry import TRANSLATORS
from tests.contract.translation.meaning import path_for
from tests.fakes.conversations import conversations

NEW = "zz_new_field"
NOT_OURS = frozenset(  # whose content is the client's own: any key may stand in it
    (
        "arguments",
        "args",
        "input_schema",
        "json",
        "json_schema",
        "parameters",
        "parametersJsonSchema",
        "response",
        "responseJsonSchema",
        "schema",
    )
)
CLIENTS_OWN = {
    "anthropic-messages": frozenset(("input",)),
    "bedrock-converse": frozenset(("input",)),
}


def places(value: Any, own: frozenset[str]) -> Iterator[dict[str, Any]]:
    """Every object of the format's own."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key not in own:
                yield from places(inner, own)
    elif isinstance(value, list):
        for inner in value:
            yield from places(inner, own)


@pytest.mark.parametrize("translator", TRANSLATORS, ids=lambda translator: translator.name)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(conversation=conversations(), data=st.data())
def test_a_new_field_is_named_or_refused_wherever_it_stands(
    translator: Translator, conversation: Conversation, data: st.DataObject
) -> None:
    written = translator.write_request(conversation, Losses(target=translator.name, drop=True)).body
    document = orjson.loads(written)
    own = NOT_OURS | CLIENTS_OWN.get(translator.name, frozenset())
    objects = list(places(document, own))
    place = objects[data.draw(st.integers(0, len(objects) - 1))]
    place[NEW] = {"asks": "for something"}
    path, query = path_for(translator, conversation.model)
    try:
        read = translator.read_request(path, query, orjson.dumps(document))
    except ContentError:
        return
    assert read.unread, orjson.dumps(place)
    assert any(NEW in path or "=" in path for path in read.unread)
