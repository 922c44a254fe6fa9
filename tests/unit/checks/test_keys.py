"""Keys of services: kept for a minute, read anew when refused, never shown."""

from __future__ import annotations

import pytest

from agent.checks.keys import KEPT, KeyRing
from agent.checks.ports import CheckError, Failure
from agent.errors import ConfigError


class Source:
    """Where secrets are, and a clock moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.value = "first"
        self.reads = 0

    def __call__(self, reference: str) -> str:
        self.reads += 1
        if reference == "env:NONE":
            raise ConfigError("the environment variable NONE is not set", hint="Set it.")
        return self.value


def ring() -> tuple[KeyRing, Source]:
    source = Source()
    return KeyRing(source, clock=lambda: source.now), source


async def test_a_key_is_read_once_a_minute() -> None:
    keys, source = ring()
    assert [await keys.read("env:K"), await keys.read("env:K")] == ["first", "first"]
    assert source.reads == 1
    source.now, source.value = KEPT, "second"
    assert await keys.read("env:K") == "second"


async def test_a_key_that_was_refused_is_read_anew() -> None:
    keys, source = ring()
    await keys.read("env:K")
    source.value = "second"
    keys.forget("env:K")
    keys.forget("env:OTHER")
    assert await keys.read("env:K") == "second"


async def test_a_reference_that_leads_nowhere_is_a_failure_that_says_how_to_mend_it() -> None:
    keys, _ = ring()
    with pytest.raises(CheckError, match="NONE is not set Set it") as caught:
        await keys.read("env:NONE")
    assert caught.value.failure is Failure.CREDENTIALS


@pytest.mark.parametrize("value", ["two\nlines", "clé", "a\x00b"])
async def test_a_key_that_no_header_can_carry_is_not_shown(value: str) -> None:
    keys, source = ring()
    source.value = value
    with pytest.raises(CheckError) as caught:
        await keys.read("env:K")
    assert value not in str(caught.value)
