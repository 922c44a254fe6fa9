"""Every platform has its managed source."""

from __future__ import annotations

import pytest

from agent.host.managed import managed_source


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", "/etc/drawbridge/managed.json"),
        ("darwin", "/Library/Managed Preferences/com.drawbridge.agent.plist"),
        ("win32", r"HKLM\SOFTWARE\Policies\Drawbridge"),
    ],
)
def test_every_platform_has_its_managed_place(platform: str, place: str) -> None:
    assert managed_source(platform).place == place
