"""Prepared requests: what their target and host are on the wire."""

from __future__ import annotations

import pytest

from agent.gateway.dispatch.ports import Prepared
from agent.model.traffic import Target


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        (Target(host="a.test"), b"a.test"),
        (Target(host="a.test", port=8443), b"a.test:8443"),
        (Target(host="127.0.0.1", port=80, tls=False), b"127.0.0.1"),
        (Target(host="127.0.0.1", port=443, tls=False), b"127.0.0.1:443"),
    ],
)
def test_the_host_names_an_unusual_port(target: Target, authority: bytes) -> None:
    assert Prepared(target=target, path=b"/", body=b"").authority == authority


def test_the_base_path_comes_first_and_the_query_last() -> None:
    target = Target(host="a.test", base_path="/proxy")
    assert Prepared(target=target, path=b"/v1/x", body=b"").wire_target == b"/proxy/v1/x"
    assert Prepared(target=target, path=b"/v1/x", body=b"", query=b"a=b").wire_target == b"/proxy/v1/x?a=b"
