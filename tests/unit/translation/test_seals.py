"""Signatures of one provider in a field of another format."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.translation import seals
from agent.translation.seals import Seal

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
_SEALS = st.builds(Seal, signature=_TEXT, sealed=_TEXT, id=_TEXT, call=_TEXT)


@given(_SEALS)
@settings(max_examples=15, deadline=None)
def test_a_seal_is_read_as_it_was_written(seal: Seal) -> None:
    assert seals.read(seals.written(seal)) == seal
    assert seals.read64(seals.written64(seal)) == seal


@given(_SEALS)
@settings(max_examples=15, deadline=None)
def test_the_other_alphabet_of_base64_is_read_too(seal: Seal) -> None:
    spelled = seals.written64(seal).replace("+", "-").replace("/", "_")
    assert seals.read64(spelled) == seal


@pytest.mark.parametrize(
    "foreign", ["", "gAAAAABo", "drawbridge:1", "drawbridge:1[1]", "drawbridge:1{", "drawbridge:2{}"]
)
def test_what_another_wrote_is_no_seal(foreign: str) -> None:
    assert seals.read(foreign) is None
    assert seals.read64(foreign) is None


@pytest.mark.parametrize("broken", ["ZHJhd2JyaWRnZTox!", "ZHJhd2JyaWRnZTox_____", "ZHJhd2JyaWRnZTox"])
def test_a_broken_seal_is_none(broken: str) -> None:
    assert seals.read64(broken) is None


@pytest.mark.parametrize(("text", "is_so"), [("c2ln", True), ("_-__", True), ("sig_1", False), ("", False)])
def test_a_field_of_bytes_holds_base64(text: str, is_so: bool) -> None:
    assert seals.is_base64(text) is is_so
