"""Values with parts, and what tools say."""

from __future__ import annotations

import pytest

from agent.errors import HostError
from agent.host.proxies.base import compose, parts, text_of
from agent.host.run import Completed


def test_the_same_parts_are_the_same_text() -> None:
    assert compose(b=1, a=None) == compose(a=None, b=1)
    assert parts(compose(a=None, b=True)) == {"a": None, "b": True}
    assert parts(None) == {}


@pytest.mark.parametrize("text", ["{", "[]", "1"])
def test_a_text_that_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(HostError, match="cannot be read"):
        parts(text)


def test_a_tool_that_fails_is_quoted() -> None:
    with pytest.raises(HostError, match="tool ended with 3: no such key"):
        text_of(Completed(code=3, stdout=b"", stderr=b"no such key\nmore\n"), "tool")
