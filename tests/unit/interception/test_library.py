"""mitmproxy as a library: nothing of it that we do not want."""

from __future__ import annotations

import logging
import os
import sys

import pytest

from agent.interception.library import prepare


def test_session_keys_are_never_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSLKEYLOGFILE", "MITMPROXY_SSLKEYLOGFILE"):
        monkeypatch.setenv(name, "keys.log")
    prepare()
    assert not [name for name in os.environ if "SSLKEYLOGFILE" in name]


def test_mitmproxys_own_addons_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mitmproxy.addons")
    prepare()
    package = sys.modules["mitmproxy.addons"]
    assert not hasattr(package, "default_addons")
    assert package.__path__  # single ones can still be imported


def test_preparing_again_changes_nothing() -> None:
    before = sys.modules["mitmproxy.addons"]
    prepare()
    assert sys.modules["mitmproxy.addons"] is before


@pytest.mark.parametrize("name", ["mitmproxy.proxy.server", "hpack.hpack", "h2.connection"])
def test_headers_and_connections_are_not_logged(name: str) -> None:
    prepare()
    assert not logging.getLogger(name).isEnabledFor(logging.WARNING)
