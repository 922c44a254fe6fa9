"""How the settings are, for whoever asks."""

from __future__ import annotations

from pathlib import Path

from agent.host.settings_state import Led, SettingsState, read_state, write_state


def test_what_is_told_is_read(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    assert read_state(file) is None
    write_state(file, Led.OVERRIDDEN, 7.0, ["gnome-proxy mode"])
    assert read_state(file) == SettingsState(led=Led.OVERRIDDEN, at=7.0, reasons=("gnome-proxy mode",))
    file.write_text('{"state": "of another version"}')
    assert read_state(file) is None
