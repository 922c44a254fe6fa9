"""The addons, as the daemon builds them."""

from __future__ import annotations

from addons import build_addons
from addons.http_tier import HttpTier
from addons.tls_identity import TlsIdentity
from addons.tls_scope import TlsScope
from tests.fakes.door import FakeDoor


def test_the_addons_in_hook_order() -> None:
    assert [type(addon) for addon in build_addons(FakeDoor())] == [TlsScope, TlsIdentity, HttpTier]
