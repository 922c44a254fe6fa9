"""Where the tokens of a JSON text stand."""

from __future__ import annotations

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialects.jsontokens import decoded_offset, locate, tokens
from tests.unit.dialects.spelling import DICE, TEXTS, escaped, leaves, spellings


@given(spellings(), st.data())
@settings(max_examples=30, deadline=None)
def test_the_token_of_every_value_is_found(text: str, data: st.DataObject) -> None:
    found = leaves(json.loads(text))
    wanted = data.draw(st.sets(st.sampled_from(sorted(found, key=repr)))) if found else set()
    spans = locate(text, wanted)
    assert {path: json.loads(text[start:end]) for path, (start, end) in spans.items()} == {
        path: found[path] for path in wanted
    }


@given(spellings(), st.data())
@settings(max_examples=30, deadline=None)
def test_the_tokens_of_a_stretch_are_those_that_overlap_it(text: str, data: st.DataObject) -> None:
    every = list(tokens(text, 0, len(text)))
    low = data.draw(st.integers(0, len(text)))
    high = data.draw(st.integers(low, len(text)))
    assert list(tokens(text, low, high)) == [one for one in every if one[0] < high and one[1] > low]
    assert [json.loads(text[start:end]) for start, end, is_key in every if not is_key] == list(
        leaves(json.loads(text)).values()
    )


@given(TEXTS, DICE)
@settings(max_examples=30, deadline=None)
def test_positions_in_a_token_are_found_in_its_text(text: str, dice: random.Random) -> None:
    inner = escaped(dice, text)[1:-1]
    for offset in range(len(inner) + 1):
        down, up = (decoded_offset(inner, offset, up=upwards) for upwards in (False, True))
        assert 0 <= up - down <= 1
        if up == down:
            assert json.loads(f'"{inner[:offset]}"') == text[:down]
