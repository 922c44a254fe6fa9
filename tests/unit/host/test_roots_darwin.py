"""Apple's roots count as they are, the System keychain's only where security(1) trusts them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.pem import certificates_in, pem_of
from agent.host.roots_darwin import APPLE_ROOTS, SYSTEM_KEYCHAIN, Keychains
from agent.host.run import Completed
from tests.fakes.host import FakeRunner

APPLE, TRUSTED, STRANGER = b"\x30\x01", b"\x30\x02", b"\x30\x03"


def answer(*certificates: bytes) -> Completed:
    return Completed(code=0, stdout=b"".join(map(pem_of, certificates)), stderr=b"")


def security(argv: Sequence[str]) -> Completed:
    if "verify-cert" in argv:
        (shown,) = certificates_in(Path(argv[-1]).read_bytes())
        return Completed(code=0 if shown == TRUSTED else 1, stdout=b"", stderr=b"")
    return answer(APPLE) if argv[-1] == APPLE_ROOTS else answer(TRUSTED, STRANGER)


def test_only_trusted_certificates_of_the_system_keychain_are_roots() -> None:
    assert Keychains(security).certificates() == (APPLE, TRUSTED)


def test_a_keychain_that_cannot_be_read_adds_nothing() -> None:
    runner = FakeRunner({APPLE_ROOTS: answer(APPLE)})
    assert Keychains(runner).certificates() == (APPLE,)
    assert runner.asked[-1][-1] == SYSTEM_KEYCHAIN


def test_no_roots_at_all_is_an_error() -> None:
    with pytest.raises(HostError, match="no root certificates"):
        Keychains(FakeRunner({})).certificates()
