"""What changes in a request that keeps its format, and what does not."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ContentError
from agent.gateway.unified.amendments import Amendments

BODY = b'{ "model": "openai/gpt-5",  "x_unknown": 1.50, "messages": [{"role":"user","content":"hi"}] }'


def test_a_models_name_is_replaced_and_every_other_byte_stays() -> None:
    made = Amendments(model=("openai/gpt-5", "gpt-5")).made(BODY)
    assert made == BODY.replace(b"openai/gpt-5", b"gpt-5")


def test_nothing_to_change_is_nothing_changed() -> None:
    assert Amendments(model=("gpt-5", "gpt-5")).made(BODY) is BODY


def test_fields_are_added_before_the_others() -> None:
    made = Amendments(add={"stream_options": {"include_usage": True}}).made(BODY)
    assert made.endswith(BODY[1:])
    assert orjson.loads(made)["stream_options"] == {"include_usage": True}


def test_an_empty_object_can_be_added_to() -> None:
    assert orjson.loads(Amendments(add={"a": 1}).made(b"{ }")) == {"a": 1}


def test_our_own_fields_are_taken_out() -> None:
    made = Amendments(remove=frozenset({"fallbacks"})).made(b'{"fallbacks":["a/b"],"model":"m","z":1}')
    assert orjson.loads(made) == {"model": "m", "z": 1}


def test_a_field_can_go_by_another_name() -> None:
    made = Amendments(rename={"max_completion_tokens": "max_tokens"}).made(b'{"max_completion_tokens":7}')
    assert orjson.loads(made) == {"max_tokens": 7}


@pytest.mark.parametrize("there", [b'"a":null,', b'"\\u0061":9,'])
def test_what_is_added_takes_the_place_of_what_is_there(there: bytes) -> None:
    made = Amendments(add={"a": 1}).made(b"{" + there + b'"z":1}')
    assert (orjson.loads(made), made.count(b'"a"')) == ({"a": 1, "z": 1}, 1)


def test_an_object_that_is_added_keeps_what_the_client_says_in_it() -> None:
    made = Amendments(add={"o": {"usage": True}}).made(b'{"o":{"usage":false,"other":1},"z":1}')
    assert orjson.loads(made) == {"o": {"usage": True, "other": 1}, "z": 1}


@pytest.mark.parametrize("body", [b"[]", b"", b"nonsense", b'"{"'])
def test_what_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        Amendments(add={"a": 1}, remove=frozenset({"b"})).made(body)


@given(
    st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8) | st.booleans(), max_size=6),
    st.sampled_from([None, 2]),
)
def test_unknown_fields_survive(fields: dict[str, object], indent: int | None) -> None:
    fields = {key: value for key, value in fields.items() if key not in ("model", "added")}
    fields = {key: value for key, value in fields.items() if not isinstance(value, int) or abs(value) < 2**53}
    document = {**fields, "model": "a/b"}
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2 if indent else None)
    made = Amendments(model=("a/b", "b"), add={"added": [1]}).made(body)
    assert orjson.loads(made) == {**document, "model": "b", "added": [1]}
