"""Every platform has its store of roots."""

from __future__ import annotations

import pytest

from agent.host.roots import root_store
from agent.host.roots_darwin import Keychains
from agent.host.roots_linux import CertificateFiles
from agent.host.roots_windows import SystemStore


@pytest.mark.parametrize(
    ("platform", "kind"), [("linux", CertificateFiles), ("darwin", Keychains), ("win32", SystemStore)]
)
def test_each_platform_has_its_own_store(platform: str, kind: type) -> None:
    assert type(root_store(platform)) is kind
