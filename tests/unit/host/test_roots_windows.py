"""Of the Windows store only roots for TLS servers count."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from agent.errors import HostError
from agent.host.roots_windows import Row, SystemStore


def test_only_certificates_trusted_for_servers_count() -> None:
    rows: list[Row] = [
        (b"all", "x509_asn", True),
        (b"none", "x509_asn", False),
        (b"server", "x509_asn", {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.4"}),
        (b"mail", "x509_asn", {"1.3.6.1.5.5.7.3.4"}),
        (b"pkcs7", "pkcs_7_asn", True),
    ]
    assert SystemStore(lambda: rows).certificates() == (b"all", b"server")


def test_a_store_that_cannot_be_read_is_an_error() -> None:
    def denied() -> Iterable[Row]:
        raise PermissionError(5, "Access is denied")

    with pytest.raises(HostError, match="Access is denied"):
        SystemStore(denied).certificates()
